"""Everything that a process of the service works with, opened once: gateway and worker alike.

It builds and holds; it decides nothing. Use cases and measured facts are read through the cache,
and at once after this process changed them.
"""

from dataclasses import dataclass, field, replace
from functools import partial

from anyio import CapacityLimiter
from sqlalchemy import Engine as Database

from adapters import AdapterRegistry
from knowledge import ChromaIndex, CrossEncoderReranker, Knowledge, SentenceTransformerEmbedder
from router import DEFAULT_POLICY_FILE, Classifier, KindClassifier, Policy
from service.cache import Cache
from service.cited_documents import CitedDocuments
from service.engine.cache_salt import cache_salts
from service.engine.client import EngineClient
from service.engine.control_tokens import load_as_text
from service.engine.loader import AdapterLoader
from service.engine.publisher import Publisher
from service.engine.status import EngineStatus
from service.engine.tokens import CountTokens, load_token_counter
from service.errors import UseCaseNotFound
from service.home import Ports
from service.limits.counters import Limits
from service.routing.classifier import classifier_in_force, kind_classifier_in_force
from service.routing.facts import Measured, Measurements
from service.routing.policies import PolicyFile, PolicyInForce, policy_for
from service.settings import Settings
from service.stores.access.known_keys import KnownKeys
from service.stores.access.signing import Signer
from service.stores.adapters import adapter_registry
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.database import open_database
from service.stores.files import Files
from service.stores.jobs import Jobs
from service.stores.records import Records
from service.stores.requests.audit_log import AuditLog
from service.stores.requests.first_replies import FirstReplies
from service.stores.review.items import ReviewItems
from service.stores.use_cases import UseCase, UseCases


@dataclass(frozen=True, slots=True)
class AppContext:
    """What endpoints, the answer's line and the worker's handlers are given."""

    settings: Settings
    ports: Ports
    database: Database
    knowledge: Knowledge
    registry: AdapterRegistry
    jobs: Jobs
    files: Files
    use_cases: UseCases
    comparisons: Comparisons
    data_checks: DataChecks
    review_items: ReviewItems
    records: Records
    audit: AuditLog
    first_replies: FirstReplies
    limits: Limits
    cited: CitedDocuments
    measurements: Measurements
    policies: PolicyInForce
    shadow: PolicyFile | None  # decides and is never followed
    classifier: Classifier
    kinds: KindClassifier | None  # None: nothing is fitted on the embedder's vectors
    engine: EngineClient
    engine_status: EngineStatus
    adapter_loader: AdapterLoader
    publisher: Publisher
    count_tokens: CountTokens
    cache: Cache
    keys: KnownKeys
    links: Signer  # of pages that citations lead to
    worker_requests: Signer
    locked_file_limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    """Files with a password, read one at a time: each may take `knowledge.parse_memory_mb`."""

    @property
    def policy(self) -> Policy:
        """The policy in force now; a request reads it once."""
        return self.policies.policy

    @property
    def shadow_policy(self) -> Policy | None:
        """The shadow policy as it is now, if there is one."""
        return None if self.shadow is None else self.shadow.latest

    async def use_case(self, use_case_id: str | None, *, tenant: str) -> UseCase:
        """Return the named use case; without a name, one with no facts and no knowledge.

        Raises:
            UseCaseNotFound: No use case has this id.
        """
        if use_case_id is None:
            return UseCase(id="none")
        read = partial(self._find_use_case, use_case_id, tenant)
        found: UseCase | None = await self.cache.get(("use_case", tenant, use_case_id), read)
        if found is None:
            raise UseCaseNotFound(
                f"There is no use case {use_case_id!r}; PUT /use_cases/{use_case_id} makes it.",
                param="use_case",
            )
        return found

    async def policy_for(self, use_case: UseCase) -> Policy:
        """Return the policy in force with the use case's own thresholds."""
        policy = self.policy
        if not use_case.thresholds:
            return policy
        key = ("policy", policy.version, tuple(sorted(use_case.thresholds.items())))
        read = partial(policy_for, policy, use_case.thresholds)
        found: Policy = await self.cache.get(key, read)
        return found

    async def measured(self, use_case: UseCase, *, tenant: str) -> Measured:
        """Return what is measured for `use_case`, and whether its adapter is loaded now."""
        key = ("measured", tenant, use_case.id, use_case.adapter, use_case.knowledge_bases)
        read = partial(self.measurements.of, use_case, tenant=tenant)
        measured: Measured = await self.cache.get(key, read)
        adapter_id = measured.adapter_id
        loaded = adapter_id is not None and self.engine_status.serves(adapter_id)
        return replace(measured, adapter_loaded=loaded)

    async def aclose(self) -> None:
        """Close the connections to the model server, the counts of limits and the database."""
        await self.engine.aclose()
        await self.limits.aclose()
        self.database.dispose()

    def _find_use_case(self, use_case_id: str, tenant: str) -> UseCase | None:
        try:
            return self.use_cases.get(use_case_id, tenant=tenant)
        except UseCaseNotFound:
            return None


def open_context(settings: Settings, ports: Ports) -> AppContext:
    """Open everything of one home; loads the embedders (about 8 s each).

    Raises:
        InvalidPolicy: The policy cannot be used.
        KnowledgeError: An embedder or the reranker cannot be loaded.
    """
    database = open_database(settings.database_url)
    return build_context(settings, ports, database, open_knowledge(settings, ports, database))


def open_knowledge(settings: Settings, ports: Ports, database: Database) -> Knowledge:
    """Return the knowledge room on `database` and the vector index of this home."""
    config = settings.knowledge
    index = ChromaIndex.connect(
        settings.index.host or "127.0.0.1",
        settings.index.port if settings.index.host else ports.chroma,
        config.chroma_timeout_s,
        write_timeout_s=config.chroma_write_timeout_s,
        breaker_s=config.chroma_breaker_s,
    )
    embedder = SentenceTransformerEmbedder.configured(settings.embedder_path, config)
    next_embedder = SentenceTransformerEmbedder.configured_next(config)
    reranker = None
    if config.reranker is not None:
        reranker = CrossEncoderReranker.load(config.reranker, revision=config.reranker_revision)
    return Knowledge(
        database, index, embedder, config, reranker=reranker, next_embedder=next_embedder
    )


def build_context(
    settings: Settings, ports: Ports, database: Database, knowledge: Knowledge
) -> AppContext:
    """Return the context of one home whose database and knowledge room are open."""
    registry = adapter_registry(settings, database)
    comparisons, data_checks = Comparisons(database), DataChecks(database)
    as_text = load_as_text(settings.base_model_path)
    salt_of = cache_salts(settings.paths) if settings.engine.takes_cache_salt else None
    engine = EngineClient(settings.engine, engine_url(settings, ports), as_text, salt_of=salt_of)
    status, cache = EngineStatus(), Cache()
    loader = AdapterLoader(engine, status, registry, base_model=settings.engine.base_model)
    shadow = settings.shadow_policy_file
    links = Signer(database, "source_links")
    worker_requests = Signer(database, "worker_requests")
    return AppContext(
        settings=settings,
        ports=ports,
        database=database,
        knowledge=knowledge,
        registry=registry,
        jobs=Jobs(database, settings.limits),
        files=Files(database),
        use_cases=UseCases(database),
        comparisons=comparisons,
        data_checks=data_checks,
        review_items=ReviewItems(database),
        records=Records(database, settings.records),
        audit=AuditLog(database),
        first_replies=FirstReplies(database),
        limits=Limits(settings.limits),
        cited=CitedDocuments(knowledge.usage.note_cited),
        measurements=Measurements(knowledge, registry, comparisons, data_checks),
        policies=PolicyInForce(settings.policy_file or DEFAULT_POLICY_FILE),
        shadow=None if shadow is None else PolicyFile(shadow),
        classifier=classifier_in_force(settings.paths),
        kinds=kind_classifier_in_force(settings.paths, knowledge.embedder),
        engine=engine,
        engine_status=status,
        adapter_loader=loader,
        publisher=Publisher(loader, registry, on_change=cache.invalidate),
        count_tokens=load_token_counter(settings.base_model_path, as_text),
        cache=cache,
        keys=KnownKeys(database, (links, worker_requests)),
        links=links,
        worker_requests=worker_requests,
    )


def engine_url(settings: Settings, ports: Ports) -> str:
    """Return the model server's address: the configured one, or our child's."""
    return settings.engine.url or f"http://127.0.0.1:{ports.engine}"
