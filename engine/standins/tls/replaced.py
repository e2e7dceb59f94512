"""What all of the provider's resources have in common."""

from typing import ClassVar

from engine.standins.diffs import Diff, differences
from engine.standins.resources import Call, Failed, Resource
from engine.standins.values import UNKNOWN, Props, without_nulls


class Replaced(Resource):
    """Every input forces a new object, except `earlyRenewalHours`. Defaults appear in the state only."""

    defaults: ClassVar[Props] = {}

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        return without_nulls(news)

    def complete(self, news: Props) -> Props:
        """Return the inputs with their defaults."""
        return {**self.defaults, **news}

    def renewal_due(self, state: Props, news: Props) -> bool:
        """Whether the object has to be made again because of its age."""
        return False

    async def diff(self, call: Call, state: Props, olds: Props, news: Props) -> Diff:
        changes = differences(self.complete(olds), self.complete(news))
        if self.renewal_due(state, news):
            changes["readyForRenewal"] = "update"
        return Diff(changes, [path for path in changes if path != "earlyRenewalHours"], detailed=False)

    async def preview_create(self, call: Call, news: Props) -> Props:
        return {**await super().preview_create(call, self.complete(news)), "id": UNKNOWN}

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        full = self.complete(news)
        try:
            id, made = self.make(full)
        except ValueError as error:
            raise Failed(f"{call.name}: {error}") from error
        return id, {**full, **made, "id": id}

    async def preview_update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        return {**state, **news}

    async def update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        return {**state, **news}

    def make(self, news: Props) -> tuple[str, Props]:
        """Make a fresh object and return its id and outputs; raise ValueError when the inputs do not allow one."""
        raise NotImplementedError
