using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Gateway.Hearts;

/// <summary>A target's version as an entity tag (RFC 9110, section 8.8.3).</summary>
internal static class EntityTag
{
    public static string Of(long version) => $"\"{version}\"";

    /// <summary>Whether <c>If-None-Match</c> names the version: a list of tags, weak or strong, or <c>*</c>.</summary>
    public static bool Matches(StringValues ifNoneMatch, long version)
    {
        foreach (var line in ifNoneMatch)
        {
            if (line is not null && LineMatches(line, version)) return true;
        }

        return false;
    }

    private static bool LineMatches(ReadOnlySpan<char> rest, long version)
    {
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            if (rest.IsEmpty) return false;
            if (rest[0] == '*') return rest.TrimEnd(" \t").Length == 1;
            if (rest.StartsWith("W/")) rest = rest[2..];
            if (rest.IsEmpty || rest[0] != '"') return false;
            var end = rest[1..].IndexOf('"');
            if (end < 0) return false;
            var tag = rest.Slice(1, end);
            if (tag is not ['0', _, ..] && long.TryParse(tag, NumberStyles.None, null, out var tagged) && tagged == version) return true;
            rest = rest[(end + 2)..];
        }
    }
}
