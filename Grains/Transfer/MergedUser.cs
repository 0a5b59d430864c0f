using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Users;

namespace HeartGrains.Transfer;

/// <summary>The one id that stands within a detail: of the other user of a merge.</summary>
internal static class MergedUser
{
    private const string Prefix = "{\"action\":\"merged\"";

    /// <summary>The id, or null.</summary>
    public static HeartId? Find(string? detail)
    {
        if (detail?.StartsWith(Prefix, StringComparison.Ordinal) is not true) return null;
        var merged = JsonSerializer.Deserialize(detail, UserJson.Default.MergedDetail);
        return HeartId.TryParse(merged?.From ?? merged?.Into, out var user) ? user : null;
    }
}
