using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>Shapes and parameters that several features have.</summary>
internal static class Shapes
{
    private const string Identifier = "Any characters but control characters and unpaired surrogates; compared as given.";

    public static readonly Shape TargetId = Shape.Text($"What is loved: a key of yours, a URL, anything. 1 to 256 bytes of UTF-8. {Identifier}", 1, Hearts.Identifier.TargetByteLimit);
    public static readonly Shape UserId = Shape.Text($"Who loves it. 1 to 128 bytes of UTF-8, not beginning with `reader:`, which stands for anonymous readers, or `erased:`, which stands for who is forgotten. {Identifier}", 1, Hearts.Identifier.UserByteLimit);
    public static readonly Shape CampaignId = Shape.Text($"What it counts towards, if anything. 1 to 64 bytes of UTF-8. {Identifier}", 1, Hearts.Identifier.CampaignByteLimit);
    public static readonly Shape Count = Shape.Whole("Users who love the target now.");
    public static readonly Shape Version = Shape.Whole("Changes the target has seen: 1, 2, 3 … without gaps; 0 for none.");
    public static readonly Shape HeartId = Shape.Text("The heart's id, the same for this user and target for ever.", pattern: "^h[A-Za-z0-9_-]{22}$");
    public static readonly Shape GivenAt = Shape.Time("When the heart was given: UTC, in microseconds.");

    public static readonly Parameter Target = Parameter.Required("target_id", TargetId, "post_123");
    public static readonly Parameter User = new("user_id", Shape.Text("Who is meant; without one the user whose token comes along, or the anonymous reader. 1 to 128 bytes of UTF-8.", 1, Hearts.Identifier.UserByteLimit), "u456");
    public static readonly Parameter Limit = new("limit", Shape.Whole("How many at most; 20 if left out.", 1, HeartQuery.MaxLimit), "2");
}
