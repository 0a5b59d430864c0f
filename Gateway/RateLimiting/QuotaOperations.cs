using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>The calls of quotas as the API's document describes them.</summary>
internal static class QuotaOperations
{
    private const string Group = "Quotas";

    private static readonly Shape User = Shape.Text("Whose quotas.");

    public static readonly Operation Acquire = new(
        "acquireQuota", Group, "Take tokens of a user's quotas", "All tokens under every policy of the user, and of the campaign if one is given, or none. For other services that share the policies. Without `user_id` it is the user whose token comes along.")
    {
        Access = Access.Users,
        IsJudgedByQuotas = true,
        Body = Payload.Request(
            8 * 1024,
            Shape.Object(
                "QuotaRequest", "What to take.", ("user_id", Shapes.UserId.Optional()), ("tokens", Shape.Whole("How many; at most the least limit of the policies that apply.", 1, 1L << 53)),
                ("campaign_id", Shapes.CampaignId.Optional())),
            ("user", """{"user_id":"u456","tokens":5}"""),
            ("campaign", """{"user_id":"u456","tokens":1,"campaign_id":"spring"}""")),
        Answers =
        [
            new(200, "They are taken.", Payload.Json(
                Shape.Object(
                    "TakenQuota", "What was taken, and what is left under the tightest policy; without a policy that applies, only the former.",
                    ("user_id", User), ("tokens", Shape.Whole("What was taken.", 1)), ("policy", Shape.Text("The tightest policy.").Optional()),
                    ("remaining", Shape.Whole("What it leaves.").Optional()), ("reset", Shape.Whole("Seconds until all its shares are whole if nothing else is taken.").Optional())),
                """{"user_id":"u456","tokens":5,"policy":"user","remaining":55,"reset":60}""")),
        ],
        Problems = [Problem.QuotaUnavailable],
    };

    public static readonly Operation Read = new(
        "readQuotas", Group, "How a user stands with each policy", "Spends nothing. Each policy that applies to the user, to your address, and to the target and campaign if given.")
    {
        Access = Access.ReadersOfUsers,
        Parameters = [Shapes.User, new("target_id", Shapes.TargetId, "post_123"), new("campaign_id", Shapes.CampaignId, "spring")],
        Answers =
        [
            new(200, "How the user stands.", Payload.Json(
                Shape.Object(
                    "Quotas", "A user's quotas.", ("user_id", User),
                    ("policies", Shape.List("Those that apply.", Shape.Object(
                        "QuotaStanding", "How a user stands with a policy.",
                        ("name", Shape.Text("The policy.")), ("dimension", Shape.OneOf("What it counts by.", "user", "address", "target", "campaign")),
                        ("algorithm", Shape.OneOf("How it counts.", "token_bucket", "sliding_window", "leaky_bucket")), ("limit", Shape.Whole("Tokens at most.", 1)),
                        ("window", Shape.Whole("Seconds until an empty one is whole.")), ("remaining", Shape.Whole("What this gateway could give.")),
                        ("reset", Shape.Whole("Seconds until it is whole.")), ("shadow", Shape.Flag("Counted, and nobody refused.")))))),
                """{"user_id":"u456","policies":[{"name":"user","dimension":"user","algorithm":"token_bucket","limit":60,"window":60,"remaining":55,"reset":60,"shadow":false}]}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.QuotaUnavailable],
    };

    public static readonly Operation Reset = new("resetQuotas", Group, "Make a user's quotas whole", "An operator's call. The slices of other gateways stay as they are.")
    {
        Access = Access.Operators,
        Parameters = [Parameter.Required("user_id", Shapes.UserId, "u456")],
        Answers =
        [
            new(200, "They are whole.", Payload.Json(Shape.Object("ResetQuotas", "Quotas that are whole.", ("user_id", User), ("reset", Shape.Flag("Always `true`."))), """{"user_id":"u456","reset":true}"""), Header.CacheControl("no-store")),
        ],
        Problems = [Problem.QuotaUnavailable],
    };
}
