using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Webhooks;

/// <summary>Operators' calls about webhooks as the API's document describes them.</summary>
internal static class WebhookOperations
{
    private const string Group = "Webhooks";

    private static readonly Shape Endpoint = Shape.Text("The endpoint's name.", pattern: "^[a-z0-9-]{1,40}$");

    private static readonly Shape Standing = Shape.Object(
        "Webhook", "How an endpoint stands.",
        ("name", Endpoint), ("host", Shape.Text("Where its messages go.")), ("pending", Shape.Whole("Targets yet to be told.")), ("failing", Shape.Whole("Of them, tried in vain.")),
        ("dead", Shape.Whole("Targets given up.")), ("last_error", Shape.Text("What was last wrong, for the silo that serves the endpoint.").OrNull()),
        ("dead_letters", Shape.List("The first hundred given up.", Shape.Object(
            "DeadLetter", "A target that was given up.",
            ("target_id", Shapes.TargetId), ("attempts", Shape.Whole("How often it was tried.")), ("since", Shape.Time("Since when.")), ("error", Shape.Text("What was wrong."))), 0, WebhookEndpoints.DeadLimit)));

    /// <summary>How all endpoints stand.</summary>
    public static readonly Operation Read = new("listWebhooks", Group, "How each endpoint stands", "With its first dead letters. Takes no query. See docs/webhooks.md.")
    {
        Access = Access.Operators,
        Answers =
        [
            new(200, "The endpoints.", Payload.Json(
                Shape.Object("Webhooks", "All endpoints.", ("endpoints", Shape.List("In the order of their configuration.", Standing))),
                """{"endpoints":[{"name":"crm","host":"hooks.example.com","pending":0,"failing":0,"dead":1,"last_error":"answered 503","dead_letters":[{"target_id":"post_123","attempts":31,"since":"2026-11-24T08:00:00+00:00","error":"answered 503"}]}]}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.InvalidQuery, .. Asking],
    };

    /// <summary>Another try for dead letters.</summary>
    public static readonly Operation Resend = new("resendWebhooks", Group, "Try dead letters again", "The target's, or all of the endpoint.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            WebhookEndpoints.BodyByteLimit, Shape.Object("ResendOrder", "Which dead letters.", ("endpoint", Endpoint), ("target_id", Shapes.TargetId.Optional())),
            ("target", """{"endpoint":"crm","target_id":"post_123"}"""), ("all", """{"endpoint":"crm"}""")),
        Answers =
        [
            new(200, "They are due now.", Payload.Json(
                Shape.Object("Resent", "What is tried again.", ("endpoint", Endpoint), ("targets", Shape.Whole("How many targets."))), """{"endpoint":"crm","targets":1}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.NotFound, .. Asking],
    };

    private static Problem[] Asking => [Problem.Unavailable, Problem.LedgerUnavailable, Problem.TemporaryReducedCapacity];
}
