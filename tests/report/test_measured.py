"""What was measured, next to what was printed: each claim's own number, those of one quantity together."""

from deeptheory.report.measured import MOST, as_measured


def row(id, measured=1.0, quantity="q"):
    return {"id": id, "measured": measured, "quantity": quantity}


def test_claims_of_one_quantity_are_said_together_by_what_tells_them_apart():
    found = as_measured([row("a/layer4", 1.0), row("b", 3.0, "r"), row("a/layer5", 2.0)])
    assert [(q["said"], [(own, c["measured"]) for own, c in q["values"]]) for q in found["quantities"]] == [
        ("q", [("layer4", 1.0), ("layer5", 2.0)]),
        ("r", [("", 3.0)]),
    ]
    assert (found["waiting"], found["more"]) == ([], 0)


def test_ids_are_cut_at_a_slash_and_never_inside_a_word():
    ids = [own for own, _ in as_measured([row("relu-does-not"), row("relu-output-does")])["quantities"][0]["values"]]
    assert ids == ["relu-does-not", "relu-output-does"]
    ids = [own for own, _ in as_measured([row("a"), row("a/mnist")])["quantities"][0]["values"]]
    assert ids == ["a", "a/mnist"]


def test_what_was_not_run_is_named_and_has_no_number():
    found = as_measured([row("a", None), row("b")])
    assert found["waiting"] == ["a"]
    assert [c["id"] for q in found["quantities"] for _, c in q["values"]] == ["b"]
    assert as_measured([]) == {"quantities": [], "waiting": [], "more": 0}


def test_of_many_quantities_the_rest_is_counted():
    found = as_measured([row(f"c{k}", 1.0, f"q{k}") for k in range(MOST + 3)])
    assert len(found["quantities"]) == MOST
    assert found["more"] == 3
