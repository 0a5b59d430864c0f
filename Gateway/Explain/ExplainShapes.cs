using HeartGrains.Gateway.OpenApi;

namespace HeartGrains.Gateway.Explain;

/// <summary>The answer of <c>GET /explain</c> as the API's document describes it.</summary>
internal static class ExplainShapes
{
    public const string Example =
        """
        {"target_id":"post_123","user_id":"u456","heart":{"hearted":true,"since":"2026-11-25T17:32:35.123456Z","event":{"id":"eAAECAwQFBgcICQoLDA0ODwAAAAAAAAAB","kind":"given","at":"2026-11-25T17:32:35.123456Z","version":1,"actor":"claimed","cause":"user","job":null,"reason":null},"quarantine":null},
        "target":{"count":1,"version":1,"opening":0,"frozen":false,"moved_to":null,"reason":null,"since":null},"user":{"blocked":false,"until":null},"events":[],"quotas":null,
        "grain":{"silo":"http://10.0.0.5:8090","address":"S10.0.0.5:11111:1","activation":"@1","breakers":[]},"breakers":[],"ledger":{"fold_lag_seconds":0.2},"unknown":["quotas"]}
        """;

    private static readonly Shape Event = Shape.Object(
        "PairEvent", "An event of the log about user and target.",
        ("id", Shape.Text("Its stable id.")), ("kind", Shape.Text("`given`, `withdrawn`, or what was decided.")), ("at", Shape.Time("When.")), ("version", Shape.Whole("The target's version with it.")),
        ("actor", Shape.Text("Who asked for it.")), ("cause", Shape.Text("Why.")), ("job", Shape.Text("The operation it is a part of.").OrNull()), ("reason", Shape.Text("A decision's reason.").OrNull()));

    private static readonly Shape Breakers = Shape.List("How breakers stand, as `GET /breakers` tells.", Shape.Object("ExplainedBreaker", "A breaker.",
        ("name", Shape.Text("What it guards.")), ("state", Shape.Text("How it stands.")), ("degraded", Shape.Flag("Whether it already spares the dependency.")), ("calls", Shape.Whole("Calls seen.")),
        ("failure_rate", Shape.Number("Failed ones of them, 0 to 1.")), ("p95_seconds", Shape.Number("95 of 100 took no longer.")), ("health", Shape.Number("1 is healthy, 0 is dead.")),
        ("rejected", Shape.Whole("Calls not sent, since the start.")), ("reason", Shape.Text("Of the last change.").OrNull()), ("next_attempt_seconds", Shape.Number("How long a break still lasts.").OrNull())));

    public static readonly Shape Explained = Shape.Object(
        "Explained", "What is known; a part that is not is null.",
        ("target_id", Shapes.TargetId), ("user_id", Shapes.UserId),
        ("heart", Shape.Object(
            "ExplainedHeart", "The user's heart.", ("hearted", Shape.Flag("Whether there is one.").OrNull()), ("since", Shape.Time("Since when.").OrNull()), ("event", Event.OrNull()),
            ("quarantine", Shape.Text("The quarantine that holds it.").OrNull())).OrNull()),
        ("target", Shape.Object(
            "ExplainedTarget", "The target itself, not where it was moved.", ("count", Shapes.Count), ("version", Shapes.Version), ("opening", Shape.Whole("What was counted elsewhere before.")),
            ("frozen", Shape.Flag("Whether its hearts stay as they are.")), ("moved_to", Shape.Text("Where it was moved.").OrNull()), ("reason", Shape.Text("Why.").OrNull()),
            ("since", Shape.Time("Since when.").OrNull())).OrNull()),
        ("user", Shape.Object("ExplainedUser", "The user.", ("blocked", Shape.Flag("Whether they may give no hearts.")), ("until", Shape.Time("Until when not.").OrNull())).OrNull()),
        ("events", Shape.List("The last of the pair, newest first.", Event).OrNull()),
        ("quotas", Shape.List("How the user stands with each.", Shape.Object(
            "ExplainedQuota", "A quota.", ("policy", Shape.Text("Its name.")), ("dimension", Shape.Text("What it counts by.")), ("limit", Shape.Whole("Its tokens.")), ("remaining", Shape.Whole("Tokens left.")),
            ("reset_seconds", Shape.Whole("Until it is whole.")), ("shadow", Shape.Flag("Whether it refuses nothing.")))).OrNull()),
        ("grain", Shape.Object(
            "ExplainedGrain", "Where the target's activation is.", ("silo", Shape.Text("The silo's name.")), ("address", Shape.Text("Its address.")), ("activation", Shape.Text("The activation.")),
            ("breakers", Breakers)).OrNull()),
        ("breakers", Breakers),
        ("ledger", Shape.Object("ExplainedLedger", "The ledger.", ("fold_lag_seconds", Shape.Number("How far lists are behind."))).OrNull()),
        ("unknown", Shape.List("Parts that could not be had.", Shape.Text("A part's name."))));
}
