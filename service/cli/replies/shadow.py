"""What shadow policies would have done."""

from service.cli.replies.reading import Reading


class ShadowPair(Reading):
    """How often the policy in force did one thing where the shadow policy would do another."""

    strategy_now: str | None
    rule_now: str
    course_now: str
    strategy_then: str | None
    rule_then: str
    course_then: str
    differs: bool
    n: int
    share: float


class ShadowSummary(Reading):
    """The pairs of one policy and one shadow policy."""

    policy_now: str
    policy_then: str
    since: float
    requests: int
    differ: int
    share_differ: float
    pairs: list[ShadowPair]


class ShadowsReply(Reading):
    """What the shadow policies would have done."""

    policy: str
    observing: str | None
    problem: str | None
    data: list[ShadowSummary]
