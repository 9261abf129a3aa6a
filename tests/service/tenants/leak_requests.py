"""A random request to each route, and what of its reply is asked for later.

It knows bodies and ids; it does not know who may read what.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.context import AppContext
from service.stores.job_kinds import TRAIN, TrainArgs
from tests.fakes.context import FakeAdapters
from tests.service.tenants.leak_model import Key, Model
from tests.service.waiting import eventually

QUESTION = "What is sold there?"
ROWS = [
    {"prompt": f"What is sold on day {number}?", "completion": "A lamp."} for number in range(9)
]
CONFIG = {"model_name_or_path": "base", "stage": "sft", "task": "helpdesk"}
Fields = dict[str, Any]


@dataclass
class Place:
    """What a request names: of which tenant, and which base of it."""

    tenant: str
    base: str


@dataclass
class Requests:
    """Random requests to one gateway; `ids` are known by tenant or base, and by parameter."""

    model: Model
    client: httpx.Client
    context: AppContext
    adapters: FakeAdapters
    roots: Mapping[str, Key]
    ids: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def send(
        self, key: Key, method: str, path: str, *, params: Fields | None = None, **body: Any
    ) -> tuple[httpx.Response, str]:
        """Send a request; return the reply and all that was sent."""
        headers = {"authorization": f"Bearer {key.secret}"}
        reply = self.client.request(method, path, headers=headers, params=params, **body)
        return reply, f"{path} {params} {body}"

    def random(self, key: Key, route: str) -> tuple[httpx.Response, str]:
        """Send a random request to a route, most often for what the key's own tenant has."""
        method, path = route.split()
        rng = self.model.rng
        tenant = key.tenant if rng.random() < 0.8 else rng.choice(sorted(self.roots))
        place = Place(tenant, rng.choice(self.ids[tenant, "base_id"]))
        brief = self._prepare(route, place)
        asked = self._asked(route, key, place)
        names = re.findall(r"{(\w+)(?::path)?}", path)
        values = {name: self._id(name, key, place) for name in names}
        values.update({**asked.pop("path", {}), **brief})
        if checks := self.ids[values.get("use_case_id", ""), "check_id"]:
            values["check_id"] = rng.choice(checks)
        url = re.sub(r"{(\w+)(?::path)?}", lambda found: values[found[1]], path)
        reply, sent = self.send(key, method, url, **asked)
        if reply.is_success:
            of = values.get("use_case_id", "") if "data_checks" in route else place.base
            self._remember(route, key, reply, of)
        return reply, sent

    def _id(self, name: str, key: Key, place: Place) -> str:
        if name == "external_id":
            return self._document(key, place)
        if name == "base_id":
            return place.base
        if name == "request_id" and place.tenant == key.tenant:
            name = f"request_id of {key.secret}"
        known = self.ids[place.base if name in OF_ANOTHER else place.tenant, name]
        if not known:
            return "nobody"
        return known[-1] if self.model.rng.random() < 0.5 else self.model.rng.choice(known)

    def _document(self, key: Key, place: Place) -> str:
        """Return a document's name: most often of one that the key may read."""
        rng = self.model.rng
        every = [one.name for one in self.model.documents if one.base == place.base]
        mine = [one.name for one in self.model.readable(key) if one.base == place.base]
        known = mine if mine and rng.random() < 0.7 else every
        return rng.choice(known) if known else "nobody.md"

    def _labels(self, key: Key, name: str = "access_labels") -> Fields:
        """Return labels as a request names them: none, or one or two of the tenant's."""
        rng = self.model.rng
        of_tenant = self.model.labels[key.tenant]
        mine = [label for label in of_tenant if key.labels is None or label in key.labels]
        known = mine if mine and rng.random() < 0.6 else list(of_tenant)
        named = rng.choice([None, [], rng.sample(known, 1), rng.sample(known, 1), known[:2]])
        return {} if named is None else {name: named}

    def _file(self, key: Key, root: Key | None = None) -> str:
        """Upload a new file under a new name; return its id."""
        name, text = self.model.name(key.tenant), self.model.text(key.tenant)
        sent = {"file": (f"{name}.md", text.encode())}
        reply, _ = self.send(root or key, "POST", "/v1/files", files=sent)
        if not reply.is_success:
            return "nobody"
        self.model.told.setdefault((root or key).secret, set()).add(name)
        self.ids[key.tenant, "file_id"].append(reply.json()["id"])
        return str(reply.json()["id"])

    def _question(self, key: Key, place: Place) -> Fields:
        asked: Fields = self._labels(key)
        if self.model.rng.random() < 0.5:
            asked["knowledge_bases"] = [place.base]
        return {**asked, "use_case": self._id("use_case_id", key, place)}

    def _asked(self, route: str, key: Key, place: Place) -> Fields:
        build = BODIES.get(route.replace(":path", ""))
        return {} if build is None else build(self, key, place)

    def _prepare(self, route: str, place: Place) -> dict[str, str]:
        """Make what a request takes away or ends, so that others find theirs; name it."""
        root, tenant = self.roots[place.tenant], place.tenant
        if route == f"DELETE {STORE}":
            base = f"{tenant}-{self.model.rng.randrange(10**9)}"
            self.send(root, "POST", "/v1/vector_stores", json={"name": "brief", "id": base})
            return {"base_id": base}
        if route == "DELETE /use_cases/{use_case_id}":
            return {"use_case_id": self.use_case(root, place.base)}
        if route.startswith("POST /adapters/"):
            self.adapter(tenant)
            if route.endswith("rollback"):
                self.adapter(tenant, self.ids[tenant, "task"][-1])
        elif route.startswith("POST /v1/fine_tuning/jobs/"):
            args = TrainArgs(
                file_id="none", config=CONFIG, metadata={"for": route.rpartition("/")[2]}
            )
            job = self.context.jobs.enqueue(TRAIN, args, tenant=tenant)
            self.ids[tenant, "job_id"].append(job.job_id)
        elif route.endswith(("/files/{file_id}", "/content")) and self.model.rng.random() < 0.3:
            self.ids[tenant, "file_id"].append(self._file(root))
            added = {"file_id": self.ids[tenant, "file_id"][-1]}
            path = f"/v1/vector_stores/{place.base}/files"
            self.send(root, "POST", path, json=added)
            added_now = f"{path}/{added['file_id']}"  # until then it is of no base
            eventually(lambda: '"in_progress"' not in self.send(root, "GET", added_now)[0].text)
        return {}

    def use_case(self, key: Key, base: str) -> str:
        """Make a use case that only the keys of its tenant that are bound to no other know."""
        made = self.model.word(
            lambda one: (
                one.tenant == key.tenant and (one.use_cases is None or made in one.use_cases)
            )
        )
        role = self.model.word(self.model.rules[made])
        self.put_use_case(key, made, role, base)
        return made

    def put_use_case(self, key: Key, name: str, role: str, base: str) -> None:
        """Write a use case."""
        facts = {"need": "knowledge"}
        body = {"id": name, "role": f"You are {role}.", "knowledge_bases": [base], "facts": facts}
        reply, _ = self.send(key, "PUT", f"/use_cases/{name}", json=body)
        assert reply.is_success, reply.text

    def adapter(self, tenant: str, task: str | None = None) -> None:
        """Register an adapter, of a new task where none is named; publish it now and then."""
        is_next = task is not None
        task = task or self.model.of_tenant(tenant)
        number = len(self.ids[tenant, "adapter_id"])  # other weights than the task's last one
        folder = self.adapters.write(task, seed=number % 100)
        made = self.context.registry.register(folder, tenant=tenant).adapter_id
        self.ids[tenant, "adapter_id"].append(made)
        self.ids[tenant, "name"] += [made, task]
        self.ids[tenant, "task"].append(task)
        self.ids[tenant, "model"] += [made, "rag"]
        if is_next or self.model.rng.random() < 0.5:
            self.send(self.roots[tenant], "POST", f"/adapters/{made}/publish")

    def _remember(self, route: str, key: Key, reply: httpx.Response, of: str) -> None:
        """Note the ids of what was made, for later requests."""
        is_json = reply.headers.get("content-type", "").startswith("application/json")
        told = reply.json() if is_json else {}
        found = {
            "POST /v1/vector_stores/{base_id}/file_batches": "batch_id",
            "POST /v1/vector_stores/{base_id}/syncs": "sync_id",
            "POST /use_cases/{use_case_id}/data_checks": "check_id",
            "POST /v1/fine_tuning/jobs": "job_id",
            "POST /compare": "comparison_id",
            "GET /jobs": "job_id",
            "GET /compare": "comparison_id",
        }.get(route)
        if route in ANSWERS:
            self.ids[key.tenant, f"request_id of {key.secret}"].append(
                reply.headers["x-request-id"]
            )
            self.ids[key.tenant, "request_id"].append(reply.headers["x-request-id"])
        elif found is not None:
            rows = told.get("data", [told]) if isinstance(told, dict) else []
            owner = of if found in OF_ANOTHER else key.tenant
            self.ids[owner, found] += [row["id"] for row in rows if "id" in row]


ANSWERS = frozenset({"POST /chat", "POST /v1/chat/completions", "POST /v1/responses"})
OF_ANOTHER = frozenset({"batch_id", "sync_id", "check_id"})  # a base or a use case
STORE = "/v1/vector_stores/{base_id}"


def _chat(made: Requests, key: Key, place: Place) -> Fields:
    messages = [{"role": "user", "content": f"{QUESTION} {made.model.of_tenant(key.tenant)}"}]
    return {"json": {"messages": messages, **made._question(key, place)}}


def _completion(made: Requests, key: Key, place: Place) -> Fields:
    asked = _chat(made, key, place)["json"]
    model = made.model.rng.choice(["rag", "auto", made._id("name", key, place)])
    return {"json": {**asked, "model": model, "stream": made.model.rng.random() < 0.3}}


def _response(made: Requests, key: Key, place: Place) -> Fields:
    return {"json": {"input": QUESTION, "model": "rag", **made._question(key, place)}}


def _document(made: Requests, key: Key, place: Place) -> Fields:
    """Return a document: a new one, or other words in the place of one that there is."""
    is_new = made.model.rng.random() < 0.3
    name = f"{made.model.name(place.tenant)}.md" if is_new else made._document(key, place)
    body = {"filename": name, "content": made.model.text(place.tenant), **made._labels(key)}
    return {"json": body, "path": {"external_id": name}}


def _page(made: Requests, key: Key, place: Place) -> Fields:
    rng = made.model.rng
    params: Fields = {"limit": rng.randint(1, 5)} if rng.random() < 0.5 else {}
    if rng.random() < 0.1:
        params["after"] = made._document(key, place)
    return {"params": params}


def _version(made: Requests, key: Key, place: Place) -> Fields:
    params = {"document": made._document(key, place), "version": made.model.rng.randint(1, 4)}
    return {"params": {**params, "old": params["version"], **made._labels(key)}}


def _history(made: Requests, key: Key, place: Place) -> Fields:
    if made.model.rng.random() < 0.5:
        return _page(made, key, place)
    return {"params": {"document": made._document(key, place)}}


def _batch(made: Requests, key: Key, place: Place) -> Fields:
    ids = [made._file(key, made.roots[key.tenant]), made._id("file_id", key, place)]
    wanted = ids[: made.model.rng.randint(1, 2)]
    return {"json": {"file_ids": wanted, **made._labels(key)}}


def _sync(made: Requests, key: Key, place: Place) -> Fields:
    every = [one for one in made.model.documents if one.base == place.base]
    digest = made.model.rng.choice(sorted(every[0].texts))[0] if every else ""
    named = {every[0].name: digest} if every and made.model.rng.random() < 0.3 else {}
    return {"json": {"source": made.model.of_tenant(key.tenant), "contents": named}}


def _report(made: Requests, key: Key, place: Place) -> Fields:
    names = [one.name for one in made.model.readable(key) if one.base == place.base]
    return {"json": {"state": "finished", "report": {"added": names, "unchanged": 3}}}


def _rows(made: Requests, key: Key, place: Place) -> Fields:
    rows = [{"id": "q", "question": f"{QUESTION} {made.model.of_tenant(key.tenant)}"}]
    named = {"use_case": made._id("use_case_id", key, place), "rows": rows}
    return {
        "json": {
            **named,
            "rows": [{**rows[0], "kind": "chitchat"}],
            "strategies": ["prompt_only", "rag"],
        }
    }


def _use_case(made: Requests, key: Key, place: Place) -> Fields:
    name = made._id("use_case_id", key, place)
    role = made.model.word(made.model.rules.get(name, lambda _: True))
    body = {"id": name, "role": f"You are {role}.", "knowledge_bases": [place.base]}
    if place.tenant != key.tenant:
        body["id"] = "another"  # refused: else this tenant had a use case of that name, too
    return {"json": body, "path": {"use_case_id": name}}


def _checked(made: Requests, key: Key, place: Place) -> Fields:
    if made.model.rng.random() < 0.3:
        return {"json": {"file_id": made._id("file_id", key, place)}}
    return {"json": {"rows": ROWS, "domain": made.model.of_tenant(key.tenant)}}


def _trained(made: Requests, key: Key, place: Place) -> Fields:
    return {"json": {"training_file": made._id("rows_id", key, place), "model": "base"}}


def _uploaded(made: Requests, key: Key, _: Place) -> Fields:
    name, text = made.model.name(key.tenant), made.model.text(key.tenant)
    return {"files": {"file": (f"{name}.md", text.encode())}}


BODIES: dict[str, Callable[[Requests, Key, Place], Fields]] = {
    "POST /chat": _chat,
    "POST /route": _chat,
    "POST /v1/chat/completions": _completion,
    "POST /v1/responses": _response,
    "POST /v1/embeddings": lambda made, key, _: {
        "json": {"input": QUESTION, "model": made.context.knowledge.embedder.model_id}
    },
    "POST /advise": lambda made, key, place: {
        "json": {"use_case": made._id("use_case_id", key, place)}
    },
    "POST /compare": _rows,
    "PUT /use_cases/{use_case_id}": _use_case,
    "POST /use_cases/{use_case_id}/data_checks": _checked,
    "POST /v1/vector_stores": lambda made, key, place: {
        "json": {"name": made.model.of_tenant(key.tenant), "id": f"brief-{len(made.model.rules)}"}
    },
    f"POST {STORE}": lambda made, key, _: {"json": {"keep_versions": 3}},
    f"GET {STORE}/documents": _page,
    f"PUT {STORE}/documents/{{external_id}}": _document,
    f"GET {STORE}/history": _history,
    f"GET {STORE}/version": _version,
    f"GET {STORE}/diff": _version,
    f"POST {STORE}/rollback": lambda made, key, place: {
        "json": {"document": made._document(key, place), "version": made.model.rng.randint(1, 2)}
    },
    f"GET {STORE}/stale": lambda made, key, place: {
        "params": {"days": 1, **_page(made, key, place)["params"]}
    },
    f"POST {STORE}/syncs": _sync,
    f"POST {STORE}/syncs/{{sync_id}}": _report,
    f"POST {STORE}/search": lambda made, key, _: {
        "json": {"query": QUESTION, "max_num_results": 50, **made._labels(key)}
    },
    f"POST {STORE}/files": lambda made, key, place: {
        "json": {"file_id": made._id("file_id", key, place)}
    },
    f"POST {STORE}/files/{{file_id}}": lambda made, key, _: {"json": {"attributes": {"a": 1}}},
    f"POST {STORE}/file_batches": _batch,
    "POST /v1/files": _uploaded,
    "POST /v1/fine_tuning/jobs": _trained,
}


def rows_file() -> Fields:
    """Return an upload of training rows."""
    content = "\n".join(json.dumps(row) for row in ROWS).encode()
    return {"files": {"file": ("rows.jsonl", content)}}
