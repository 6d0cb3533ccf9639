"""One generator of calls is driven by sync and by async code alike."""

import asyncio

import pytest

from dumper.steps import Call, Steps, arun, run


class Target:
    """Sync and async methods that note what they were called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def double(self, number: int) -> int:
        self.calls.append(("double", number))
        return number * 2

    def fail(self) -> None:
        raise LookupError("it failed")

    async def adouble(self, number: int) -> int:
        await asyncio.sleep(0)
        return self.double(number)

    async def afail(self) -> None:
        await asyncio.sleep(0)
        self.fail()


def arun_now(steps: Steps, target: object):
    return asyncio.run(arun(steps, target))


both = pytest.mark.parametrize("drive", [run, arun_now], ids=["run", "arun"])


def none() -> Steps[str]:
    return "nothing was called"
    yield


def several() -> Steps[int]:
    number = yield Call("double", (1,))
    return (yield Call("double", (number,)))


def nested() -> Steps[int]:
    return (yield from several()) + (yield from several())


def caught() -> Steps[str]:
    try:
        yield Call("fail")
    except LookupError as error:
        number = yield Call("double", (2,))
        return f"{error}, {number}"


def uncaught() -> Steps[None]:
    yield Call("fail")


@both
def test_steps_without_a_call_just_return(drive):
    target = Target()
    assert drive(none(), target) == "nothing was called"
    assert target.calls == []


@both
def test_the_result_of_each_call_is_sent_back_in(drive):
    target = Target()
    assert drive(several(), target) == 4
    assert target.calls == [("double", 1), ("double", 2)]


@both
def test_steps_may_be_made_of_steps(drive):
    assert drive(nested(), Target()) == 8


@both
def test_an_error_is_thrown_in_where_the_call_was_made(drive):
    assert drive(caught(), Target()) == "it failed, 4"


@both
def test_an_error_that_is_not_caught_comes_out(drive):
    with pytest.raises(LookupError, match="it failed"):
        drive(uncaught(), Target())


@both
def test_a_method_that_does_not_exist_is_an_error_like_any_other(drive):
    def steps() -> Steps[str]:
        try:
            yield Call("missing")
        except AttributeError:
            return "missing"

    assert drive(steps(), Target()) == "missing"


def test_a_cancelled_task_ends_the_steps_where_they_are():
    ended = []

    def steps() -> Steps[None]:
        try:
            yield Call("wait")
        finally:
            ended.append(True)

    class Waiting:
        async def await_(self) -> None:
            await asyncio.sleep(60)

        def __getattr__(self, name: str):
            return self.await_

    async def cancel() -> None:
        task = asyncio.create_task(arun(steps(), Waiting()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert ended
