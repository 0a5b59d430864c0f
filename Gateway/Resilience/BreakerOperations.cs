using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Resilience;

/// <summary>The calls of breakers as the API's document describes them.</summary>
internal static class BreakerOperations
{
    private const string Group = "Breakers";

    private static readonly Shape Breaker = Shape.Object(
        "Breaker", "How a breaker stands; figures are of its window.",
        ("name", Shape.OneOf("What it guards.", "hearts", "quota", "ledger")), ("state", Shape.OneOf("How it stands.", "closed", "open", "half_open", "forced_open", "forced_closed")),
        ("degraded", Shape.Flag("Whether it already spares the dependency.")), ("calls", Shape.Whole("Calls seen.")), ("failure_rate", Shape.Number("Failed ones of them, 0 to 1.")),
        ("p95_seconds", Shape.Number("95 of 100 took no longer.")), ("health", Shape.Number("1 is healthy, 0 is dead.")), ("rejected", Shape.Whole("Calls not sent, since the start.")),
        ("reason", Shape.Text("Of the last change.").OrNull()), ("next_attempt_seconds", Shape.Number("How long a break or an operator's order still lasts.").OrNull()));

    private static readonly Shape Silo = Shape.Object(
        "SiloBreakers", "What a silo told of its breakers.",
        ("silo", Shape.Text("The silo's address.")), ("age_seconds", Shape.Number("How long ago.")), ("breakers", Shape.List("Its breakers.", Breaker)));

    public static readonly Operation Read = new(
        "readBreakers", Group, "How the breakers stand", "Those of this gateway and, in a cluster, what each silo told of its own in the last 10 s; `silos` is `null` when none answers. In the one-process modes all are the gateway's.")
    {
        Answers =
        [
            new(200, "How they stand.", Payload.Json(
                Shape.Object("Breakers", "Breakers.", ("breakers", Shape.List("This gateway's.", Breaker)), ("silos", Shape.List("The silos', in a cluster.", Silo).OrNull().Optional())),
                """{"breakers":[{"name":"hearts","state":"closed","degraded":false,"calls":120,"failure_rate":0,"p95_seconds":0.002431,"health":1,"rejected":0,"reason":null,"next_attempt_seconds":null}]}"""),
                Header.CacheControl("no-store")),
        ],
    };

    public static readonly Operation Force = new(
        "forceBreaker", Group, "Hold a breaker open or closed", "An operator's call: in the whole cluster, for a time; `auto` lets it go. See docs/resilience.md.")
    {
        Access = Access.Operators,
        Parameters = [Parameter.OfPath("name", Shape.OneOf("The breaker.", "hearts", "quota", "ledger"), "hearts")],
        Body = Payload.Request(
            8 * 1024,
            Shape.Object(
                "BreakerOrder", "What is ordered.", ("state", Shape.OneOf("What it shall do.", "forced_open", "closed", "auto")),
                ("for", Shape.Text("How long, 1s to 24h; left out with `auto`.", pattern: "^[0-9]+[smh]$").Optional()), ("reason", Shape.Text("Why; on one line.", 1, 200))),
            ("hold", """{"state":"closed","for":"10m","reason":"moving the database"}"""),
            ("release", """{"state":"auto","reason":"the database is moved"}""")),
        Answers =
        [
            new(200, "The order is followed.", Payload.Json(
                Shape.Object(
                    "FollowedOrder", "An order that is followed.",
                    ("name", Shape.Text("The breaker.")), ("state", Shape.OneOf("What it does.", "forced_open", "closed", "auto")), ("until", Shape.Time("How long; `null` with `auto`.").OrNull()),
                    ("reason", Shape.Text("Why.")), ("reaches", Shape.OneOf("Who follows it.", "cluster", "this gateway", "this gateway, perhaps the cluster"))),
                """{"name":"hearts","state":"closed","until":"2026-11-25T17:32:35.123456+00:00","reason":"moving the database","reaches":"cluster"}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.NotFound, Problem.Unavailable, Problem.OutcomeUnknown],
    };
}
