"""The reader of WAVE itself: a reader that overlooks something would make every case pass."""

from __future__ import annotations

import pytest

from tests.policy.wave import Case, WaveError, parse, show


def test_every_kind_of_value() -> None:
    text = r'{a: 1, b: [2, 3,], c: some(x({:})), d: "q\"\u{41}\n", }'
    assert parse(text) == {
        "a": 1,
        "b": [2, 3],
        "c": Case("some", Case("x", {})),
        "d": 'q"A\n',
    }


def test_space_and_remarks_do_not_count() -> None:
    assert parse("// why\n{ a :\n1 }") == parse("{a: 1}")


@pytest.mark.parametrize("text", ["", "{a: 1", "[1 2]", "{a: 1} 2", "{a: 1, a: 2}", "x(", "?", "]"])
def test_what_is_no_wave_is_refused(text: str) -> None:
    with pytest.raises(WaveError):
        parse(text)


def test_one_line_for_each_field() -> None:
    value = parse('{state: saving({since: 1, memo: []}), actions: [save(in-place), "a"]}')
    assert show(value) == [
        "{",
        "  state: saving({",
        "    since: 1,",
        "    memo: [],",
        "  }),",
        "  actions: [",
        "    save(in-place),",
        '    "a",',
        "  ],",
        "}",
    ]


def test_different_values_show_differently() -> None:
    texts = ["1", '"1"', "a", "a(1)", '"a"', "[]", "[1]", "{:}", "{a: 1}", "[a]", "[[a]]"]
    assert len({tuple(show(parse(text))) for text in texts}) == len(texts)
