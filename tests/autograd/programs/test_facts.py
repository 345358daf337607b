"""What a program relies on is written out as one function, and named when it is no longer so."""

import gc
import linecache

import numpy as np
import pytest

from autograd.programs.facts import EACH, EQUALS, IS, WEAK, Facts, equal


class Thing:
    """Have attributes."""


def held(expression, x, was, how=IS):
    facts = Facts()
    facts.add("it", expression.format(facts.name(x)), was, how)
    return facts


ARRAY, OTHER = np.ones(2), np.zeros(2)


def thing(**attributes):
    made = Thing()
    vars(made).update(attributes)
    return made


CHANGES = {
    "an entry": (held("{}['a']", d1 := {"a": ARRAY}, ARRAY), lambda: d1.update(a=OTHER)),
    "an entry that goes": (held("{}['a']", d2 := {"a": ARRAY}, ARRAY), lambda: d2.clear()),
    "an attribute": (held("{}.a", t1 := thing(a=ARRAY), ARRAY), lambda: setattr(t1, "a", OTHER)),
    "an attribute that goes": (held("{}.a", t2 := thing(a=ARRAY), ARRAY), lambda: delattr(t2, "a")),
    "names": (held("[*{}]", d3 := {"a": 1}, ["a"], EQUALS), lambda: d3.update(b=1)),
    "their order": (held("[*{}]", d4 := {"a": 1, "b": 2}, ["a", "b"], EQUALS), lambda: d4.update(a=d4.pop("a"))),
    "an equal element": (held("{}", l1 := [[1]], [l1[0]], EACH), lambda: l1.__setitem__(0, [1])),
    "one more": (held("{}", l2 := [ARRAY], [ARRAY], EACH), lambda: l2.append(ARRAY)),
}


@pytest.mark.parametrize(("facts", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_and_named(facts, change):
    assert facts.hold()
    change()
    assert not facts.hold()
    assert facts.changed() == "it"


@pytest.mark.parametrize(("was", "now"), [(0.1, float("0.1")), ((1.5, "a"), (float("1.5"), "a")), (1, 1)])
def test_what_equals_it_stands_for_it(was, now):
    x = {"a": was}
    facts = held("{}['a']", x, was)
    x["a"] = now
    assert facts.changed() == ""
    assert facts.hold()


@pytest.mark.parametrize(
    ("now", "was", "same"),
    [
        (1, 1.0, False), (True, 1, False), (float("nan"), float("nan"), True), ((1, "a"), (1, "a"), True),
        ([1], (1,), False), ([1], [1], False), ({"a": 1}, {"a": 1}, False),
        (([1],), ([1],), False), (ARRAY, ARRAY.copy(), False),
        (np.float64(1), np.float64(1), True), (np.dtype("f4"), np.dtype("f4"), True),
    ],
)  # fmt: skip
def test_equal_is_strict_about_kinds(now, was, same):
    assert equal(now, was) is same


def test_an_array_is_not_kept_alive_and_noted_anew():
    x = thing(a=np.ones(100))
    facts = held("{}.a", x, x.a, WEAK)
    assert facts.hold()
    x.a = np.ones(100)
    assert not facts.hold()
    facts.note()
    assert facts.hold()


def test_nothing_and_five_thousand_facts():
    assert Facts().hold()
    facts, things = Facts(), [{"a": i} for i in range(5_000)]
    for x in things:
        facts.add(str(x["a"]), f"{facts.name(x)}['a']", x["a"])
    assert facts.hold()
    things[-1]["a"] = None
    assert not facts.hold()
    assert facts.changed() == "4999"


def test_the_text_goes_with_its_facts():
    gc.collect()  # what other tests have left
    before = len(linecache.cache)
    facts = held("{}['a']", {"a": 1}, 1)
    assert facts.hold()
    assert len(linecache.cache) == before + 1
    del facts
    gc.collect()
    assert len(linecache.cache) == before
