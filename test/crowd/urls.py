"""Pages that take a while. Each render leaves a line in the file RENDERS: by which process."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import path

RENDERS = Path(os.environ.get("RENDERS", os.devnull))


def slow(make: Callable[[int], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page that takes 300 ms; ``make`` is given the number of its render."""

    def view(request: HttpRequest) -> HttpResponse:
        with RENDERS.open("a") as file:
            file.write(f"{os.getpid()}\n")
        number = len(RENDERS.read_text().splitlines())
        time.sleep(0.3)
        return make(number)

    return view


def killed(number: int) -> HttpResponse:
    """The first render takes its process with it."""
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return HttpResponse(f"render {number}")


def raising(number: int) -> HttpResponse:
    raise ZeroDivisionError("the view is broken")


urlpatterns = [
    path("page/", slow(lambda number: HttpResponse(f"render {number}"))),
    path("private/", slow(lambda number: HttpResponse("own", headers={"Cache-Control": "private"}))),
    path("killed/", slow(killed)),
    path("raising/", slow(raising)),
]
