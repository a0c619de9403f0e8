"""The questions of demo quizzes, and what makes an answer possible."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smartcourse.demo.tables import Table


class QuestionKind(StrEnum):
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    SHORT_TEXT = "short_text"
    NUMERIC = "numeric"


@dataclass(frozen=True)
class DemoChoice:
    key: str
    text: str


@dataclass(frozen=True)
class NumericAnswer:
    """Right is what differs from `value` by no more than `tolerance`."""

    value: float
    tolerance: float


Answer = tuple[str, ...] | bool | NumericAnswer


@dataclass(frozen=True)
class DemoQuestion:
    """A question. `answer`, by kind: keys of choices · true or false · accepted texts · a number."""

    kind: QuestionKind
    prompt: str
    points: int
    choices: tuple[DemoChoice, ...]
    answer: Answer
    explanation: str

    @property
    def choices_as_json(self) -> list[dict[str, str]]:
        """`[{"key": "a", "text": "..."}]`, empty for kinds without choices."""
        return [{"key": choice.key, "text": choice.text} for choice in self.choices]

    @property
    def answer_as_json(self) -> list[str] | bool | dict[str, float]:
        """`["a", ...]` · `true` · `["accepted", ...]` · `{"value": 3.5, "tolerance": 0.1}`."""
        match self.answer:
            case bool():
                return self.answer
            case NumericAnswer(value, tolerance):
                return {"value": value, "tolerance": tolerance}
            case texts:
                return list(texts)


def read_question(table: Table) -> DemoQuestion:
    """One question of a quiz.

    Raises: DemoContentError when a field is missing or the answer cannot be the answer to such a question.
    """
    kind = table.choice("kind", QuestionKind)
    choices = (
        _read_choices(table) if kind in (QuestionKind.SINGLE_CHOICE, QuestionKind.MULTIPLE_CHOICE) else ()
    )
    question = DemoQuestion(
        kind=kind,
        prompt=table.text("prompt"),
        points=table.whole_number("points", least=1),
        choices=choices,
        answer=_read_answer(table, kind, choices),
        explanation=table.text("explanation"),
    )
    table.refuse_unknown()
    return question


def _read_choices(table: Table) -> tuple[DemoChoice, ...]:
    rows = table.tables("choices")
    choices = tuple(DemoChoice(row.text("key"), row.text("text")) for row in rows)
    for row in rows:
        row.refuse_unknown()
    if len(choices) < 2:
        raise table.error("choices", "are fewer than two")
    if len({choice.key for choice in choices}) < len(choices):
        raise table.error("choices", "have the same key twice")
    return choices


def _read_answer(table: Table, kind: QuestionKind, choices: tuple[DemoChoice, ...]) -> Answer:
    match kind:
        case QuestionKind.TRUE_FALSE:
            return table.flag("answer")
        case QuestionKind.NUMERIC:
            return _read_number(table.table("answer"))
        case QuestionKind.SHORT_TEXT:
            return table.texts("answer")
        case _:
            return _read_keys(table, kind, choices)


def _read_number(table: Table) -> NumericAnswer:
    answer = NumericAnswer(table.number("value"), table.number("tolerance"))
    table.refuse_unknown()
    if answer.tolerance < 0:
        raise table.error("tolerance", "is negative")
    return answer


def _read_keys(table: Table, kind: QuestionKind, choices: tuple[DemoChoice, ...]) -> tuple[str, ...]:
    keys = table.texts("answer")
    if unknown := set(keys) - {choice.key for choice in choices}:
        raise table.error("answer", f"names no choice: {', '.join(sorted(unknown))}")
    if len(set(keys)) < len(keys):
        raise table.error("answer", "names a choice twice")
    if kind is QuestionKind.SINGLE_CHOICE and len(keys) != 1:
        raise table.error("answer", "of a single choice is one key")
    return keys
