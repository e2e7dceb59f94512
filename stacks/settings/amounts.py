"""How much of something: sizes in bytes, processors, and Kubernetes' quantities of whatever else."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, PlainValidator

from stacks.settings.types import spelled

_BYTES: Final = ("Ki", "Mi", "Gi", "Ti")


def bytes_of(size: str) -> int:
    """Return how many bytes a size such as 512Mi has."""
    return int(size[:-2]) << 10 * (1 + _BYTES.index(size[-2:]))


def _countable(size: str) -> str:
    if bytes_of(size) >= 2**63:
        raise ValueError("must be less than 8388608Ti: neither Kubernetes nor ZFS counts further")
    return size


ByteSize = Annotated[
    str,
    spelled(r"^[1-9][0-9]{0,18}(Ki|Mi|Gi|Ti)$", "whole Ki, Mi, Gi or Ti, such as 512Mi or 2Gi"),
    AfterValidator(_countable),
]
"""A size as Kubernetes writes it, for example 512Mi."""


def _counted(cores: float) -> float:
    if cores < 0.001:
        raise ValueError("must be 0.001 or more: Kubernetes takes 0 for nothing said, and reserves the whole limit")
    return cores


Cores = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_counted)]
"""Processors, which Kubernetes counts in thousandths."""

_AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i)?")
"""A quantity of Kubernetes' (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""


def _check_amount(value: Any) -> int | float | str:
    """Take a number as it is: a device is counted, and memory has a unit."""
    wrong = not isinstance(value, int | float | str) or isinstance(value, bool)
    if wrong or not _AMOUNT.fullmatch(str(value)):
        raise ValueError("must be an amount, such as 1, 0.5 or 2Gi")
    amount: int | float | str = value
    return amount


_TIMES: Final = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def amount_of(amount: float | str) -> Decimal:
    """Return the number that a quantity of Kubernetes' stands for."""
    number = str(amount).rstrip("".join(_TIMES))
    return Decimal(number) * _TIMES.get(str(amount)[len(number) :], 1)


Amount = Annotated[int | float | str, PlainValidator(_check_amount, json_schema_input_type=int | float | str)]
