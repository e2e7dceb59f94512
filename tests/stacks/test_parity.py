"""Every setting of Zero to JupyterHub has an answer, and the answers are true."""

from collections import Counter

from stacks import parity
from stacks.versions import SITE


def test_names_are_of_the_chart_whose_image_runs() -> None:
    assert parity.pinned_version() == SITE["k8s_hub"]
    names = parity.names_of_the_chart()
    assert len(names) > 450
    assert {"hub.extraConfig", "singleuser.profileList", "cull.maxAge", "global.safeToShowValues"} <= {*names}
    assert names == sorted(set(names))


def test_every_name_has_an_answer() -> None:
    answered = [name for group in parity.groups() for name in group.names]
    missing = [name for name in parity.settings_of_the_chart() if parity.entry_for(name, answered) is None]
    assert not missing


def test_new_name_of_the_chart_is_missed() -> None:
    """A heading answers for nothing below it."""
    answered = [name for group in parity.groups() for name in group.names]
    assert not set(answered) & set(parity.blocks())
    for block in parity.blocks():
        if not block.startswith("hub.config"):
            assert parity.entry_for(f"{block}.somethingNew", answered) is None


def test_no_answer_is_given_twice_or_to_nothing() -> None:
    answered = Counter(name for group in parity.groups() for name in group.names)
    assert not [name for name, count in answered.items() if count > 1]
    assert not set(answered) - set(parity.names_of_the_chart())


def test_what_is_the_same_is_a_setting_here() -> None:
    groups = {name: group for group in parity.groups() for name in group.names}
    ours = parity.settings_here()
    wrong = []
    for name in parity.settings_of_the_chart():
        entry = parity.entry_for(name, list(groups))
        assert entry is not None
        if groups[entry].kind == "same" and parity.here(name, groups[entry], entry) not in ours:
            wrong.append(name)
    assert not wrong


def test_answers_have_a_kind_and_a_reason() -> None:
    for group in parity.groups():
        assert group.kind in parity.KINDS
        assert group.why.endswith(".")
        assert all(bool(ours) == (group.kind == "same") for ours in group.names.values()), group.names


def test_other_name_for_the_same_has_a_reason() -> None:
    for group in parity.groups():
        assert bool(group.other_names) == bool(group.renamed), group.names
        assert group.renamed == "" or group.renamed.endswith("."), group.renamed


def test_reason_that_speaks_of_a_setting_speaks_of_one_that_exists() -> None:
    ours = parity.settings_here()
    for group in parity.groups():
        words = f"{group.why} {group.renamed}".split("`")[1::2]
        spoken = [each for each in words if each.startswith(("hub.", "hosts.", "mirrors.", "edge."))]
        assert not [each for each in spoken if each not in ours]


def test_page_is_fresh() -> None:
    assert parity.PAGE.read_text() == parity.markdown(), "run `make docs`"
