"""Which ids are names of one test."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.identity import Alias, Identity, function_of


def alias(old: str, new: str, since_ms: float = 1.0, state: str = "detected") -> Alias:
    return Alias(old, new, state, since_ms)


def test_without_aliases_every_id_is_a_test_of_its_own() -> None:
    identity = Identity()
    assert identity.ids_of("a.py::t") == ["a.py::t"]
    assert identity.current("a.py::t") == "a.py::t"


def test_a_life_goes_on_over_several_names_whichever_is_asked() -> None:
    identity = Identity([alias("a.py::one", "a.py::two"), alias("a.py::two", "b.py::two", 2.0)])
    for name in ("a.py::one", "a.py::two", "b.py::two"):
        assert set(identity.ids_of(name)) == {"a.py::one", "a.py::two", "b.py::two"}
        assert identity.ids_of(name)[0] == name
        assert identity.current(name) == "b.py::two"


def test_an_alias_of_a_function_class_or_file_holds_for_all_in_it() -> None:
    identity = Identity([alias("a.py", "lib/a.py"), alias("lib/a.py::TestX::old", "lib/a.py::TestX::new", 2.0)])
    assert identity.current("a.py::TestX::old[1-a::b]#2") == "lib/a.py::TestX::new[1-a::b]#2"
    assert identity.current("a.py::TestX::older") == "lib/a.py::TestX::older"
    assert identity.current("aa.py::test") == "aa.py::test"
    assert "a.py::TestX::old[1]" in identity.ids_of("lib/a.py::TestX::new[1]")


def test_a_test_that_got_its_name_back_has_it() -> None:
    identity = Identity([alias("a.py::one", "a.py::two", 1.0), alias("a.py::two", "a.py::one", 2.0)])
    assert identity.current("a.py::one") == identity.current("a.py::two") == "a.py::one"


def test_a_removed_alias_is_not_in_force() -> None:
    identity = Identity([alias("a.py::one", "a.py::two", state="removed")])
    assert identity.ids_of("a.py::one") == ["a.py::one"]


def test_results_of_all_names_are_taken_together() -> None:
    identity = Identity([alias("a.py::one", "a.py::two")])
    groups = identity.groups(["a.py::one[1]", "a.py::two[1]", "a.py::other"])
    assert groups == {"a.py::two[1]": ["a.py::one[1]", "a.py::two[1]"], "a.py::other": ["a.py::other"]}


def test_a_name_that_grows_with_each_alias_comes_to_an_end() -> None:
    identity = Identity([alias("a.py", "a.py::X", 1.0), alias("a.py::X", "a.py", 2.0)])
    assert len(identity.ids_of("a.py::t")) <= 100
    assert identity.current("a.py::t") == "a.py::t"


def test_the_function_of_a_test() -> None:
    assert function_of("d[1]/a.py::TestX::test_y[1::2]#2") == "d[1]/a.py::TestX::test_y"
    assert function_of("a#1.py::test_y#3") == "a#1.py::test_y"
    assert function_of("a.py") == "a.py"


_NAMES = st.sampled_from([f"{file}::{name}" for file in ("a.py", "b.py") for name in ("s", "t", "u")])
_ALIASES = st.lists(st.builds(alias, _NAMES, _NAMES, st.integers(0, 9)), max_size=12)


@settings(deadline=None)
@given(_ALIASES, _NAMES)
def test_a_life_is_the_same_from_each_of_its_names(aliases: list[Alias], name: str) -> None:
    identity = Identity(aliases)
    life = identity.ids_of(name)
    assert all(set(identity.ids_of(other)) == set(life) for other in life)
    assert identity.current(name) in life
