using System.Text.Json;
using System.Text.Json.Serialization;

namespace HeartGrains.Users;

/// <summary>What an erasure is told.</summary>
internal sealed record EraseArguments(string UserId);

/// <summary>
/// Where an erasure stands. Names: those to be forgotten, the user's own first, then those of readers who were merged into it; Name: which is being worked on; Order, Target and Version: the last row that is done in
/// this pass over its rows; Found: rows that this pass has found; Hearts and Rows: what was done so far, about; Awaited: operations that may still give the user hearts, null until it was asked for them, empty when they
/// have ended; IsForgotten: only the decision is left.
/// </summary>
internal sealed record EraseState(
    List<string> Names, int Name, long Order, Guid Target, long Version, long Found, long Hearts, long Rows, List<string>? Awaited = null, bool IsForgotten = false);

/// <summary>What an erasure tells of itself, and the decision about it.</summary>
internal sealed record EraseProgress(long Hearts, long Rows);

/// <summary>The decision that a user is being forgotten, before the first name is replaced, and that it is done, with figures.</summary>
internal sealed record ErasedDetail(string Action, string Receipt, long? Hearts = null, long? Rows = null);

/// <summary>What a merge is told.</summary>
internal sealed record MergeArguments(string Reader, string Account);

/// <summary>Where a merge stands: the last row of the reader that is done in this pass, hearts that this pass has moved, targets asked so far, and hearts that this pass has left where they are.</summary>
internal sealed record MergeState(long Order, Guid Target, long Version, long Found, long Targets, long Withdrawn, long Left = 0);

/// <summary>What a merge tells of itself; hearts left if there are any.</summary>
internal sealed record MergeProgress(long Moved, long Already, long Targets, long? Left = null);

/// <summary>The decision that a reader's hearts are an account's. Whose stands there as the desk knows users: by a keyed hash.</summary>
internal sealed record MergedDetail(string Action, long Moved, long Already, string? From, string? Into, long? Left = null)
{
    private const string Prefix = "{\"action\":\"merged\"";

    /// <summary>Reads a decision's detail; null when it is another's.</summary>
    public static MergedDetail? TryRead(string? detail) =>
        detail?.StartsWith(Prefix, StringComparison.Ordinal) is true ? JsonSerializer.Deserialize(detail, UserJson.Default.MergedDetail) : null;
}

/// <summary>Writes and reads them.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EraseArguments))]
[JsonSerializable(typeof(EraseState))]
[JsonSerializable(typeof(EraseProgress))]
[JsonSerializable(typeof(ErasedDetail))]
[JsonSerializable(typeof(MergeArguments))]
[JsonSerializable(typeof(MergeState))]
[JsonSerializable(typeof(MergeProgress))]
[JsonSerializable(typeof(MergedDetail))]
internal sealed partial class UserJson : JsonSerializerContext;
