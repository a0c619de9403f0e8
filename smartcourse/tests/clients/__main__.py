"""Runs what `make clients` generated and compiled: both journeys, and both clients of the guide, on a live server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from smartcourse.tests.quickstart import environment_of, quickstart

HERE = Path(__file__).parent
TYPESCRIPT = HERE / "typescript"
PYTHON = HERE / "python"
COMMANDS = {
    "TypeScript, the journey": ["node", str(TYPESCRIPT / "generated/javascript/journey.js")],
    "TypeScript, the guide": ["node", str(TYPESCRIPT / "generated/javascript/generated/guide.js")],
    "Python, the journey": [sys.executable, str(PYTHON / "journey.py")],
    "Python, the guide": [sys.executable, str(PYTHON / "generated/guide.py")],
}
SEARCH = "sheepshank"
PUBLISHED_SECONDS = 60


def publish_a_course(info: dict[str, Any]) -> None:
    """Have the demo's instructor write and publish a course of two texts, which a learner can complete by reading."""
    account = next(one for one in info["accounts"] if one["role"] == "instructor")
    with httpx.Client(base_url=info["api_url"] + "/", timeout=30) as api:

        def post(path: str, **body: Any) -> Any:
            answer = api.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        signed_in = post("auth/login", email=account["email"], password=account["password"])
        api.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
        course = post("courses", title=f"The {SEARCH}", summary="Shortening a rope.")["id"]
        module = post(f"courses/{course}/modules", title="Shortening")["id"]
        for title in ("Why", "How"):
            lesson = {"title": title, "type": "text", "content": "Fold the rope twice, and hitch both ends."}
            post(f"courses/{course}/modules/{module}/lessons", **lesson)
        workflow = post(f"courses/{course}/publish")["workflow_id"]
        deadline = time.monotonic() + PUBLISHED_SECONDS
        while api.get(f"workflows/{workflow}").json()["status"] != "COMPLETED":
            assert time.monotonic() < deadline, "the course was not published"
            time.sleep(0.2)


def main() -> int:
    """Run all four, say what became of each, and return 1 where one failed."""
    passed = 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "data"
        with quickstart(data, environment_of(data)) as info:
            publish_a_course(info)
            told = {"SMARTCOURSE_URL": info["url"], "SMARTCOURSE_SEARCH": SEARCH}
            environment = {**os.environ, **told, "PYTHONPATH": str(PYTHON / "generated")}
            for name, command in COMMANDS.items():
                began_at = time.monotonic()
                ended = subprocess.run(command, env=environment, timeout=120, check=False)
                passed += ended.returncode == 0
                outcome = "passed" if ended.returncode == 0 else "FAILED"
                print(f"{name:26} {outcome} in {time.monotonic() - began_at:.1f} s", flush=True)
    print(f"{passed} passed, {len(COMMANDS) - passed} failed")
    return int(passed < len(COMMANDS))


if __name__ == "__main__":
    sys.exit(main())
