using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Gateway.Hearts;

/// <summary>A target's version as an entity tag (RFC 9110, section 8.8.3); with an opening balance behind it, which is no part of the version.</summary>
internal static class EntityTag
{
    public static string Of(long version, long opening = 0) => opening == 0 ? $"\"{version}\"" : $"\"{version}+{opening}\"";

    /// <summary>Whether <c>If-None-Match</c> names the version: a list of tags, weak or strong, or <c>*</c>.</summary>
    public static bool Matches(StringValues ifNoneMatch, long version, long opening = 0) => Matches(ifNoneMatch, null, version, opening);

    /// <summary>Whether <c>If-None-Match</c> names the tag, which is given with its quotes.</summary>
    public static bool Matches(StringValues ifNoneMatch, string entityTag) => Matches(ifNoneMatch, entityTag.Trim('"'), 0, 0);

    private static bool Matches(StringValues ifNoneMatch, string? opaque, long version, long opening)
    {
        foreach (var line in ifNoneMatch)
        {
            if (line is not null && LineMatches(line, opaque, version, opening)) return true;
        }

        return false;
    }

    private static bool LineMatches(ReadOnlySpan<char> rest, string? opaque, long version, long opening)
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
            if (opaque is null ? IsOf(tag, version, opening) : tag.SequenceEqual(opaque)) return true;
            rest = rest[(end + 2)..];
        }
    }

    private static bool IsOf(ReadOnlySpan<char> tag, long version, long opening)
    {
        var plus = tag.IndexOf('+');
        return Is(plus < 0 ? tag : tag[..plus], version) && (plus < 0 ? opening == 0 : opening > 0 && Is(tag[(plus + 1)..], opening));
    }

    private static bool Is(ReadOnlySpan<char> digits, long number) =>
        digits is not ['0', _, ..] && long.TryParse(digits, NumberStyles.None, null, out var value) && value == number;
}
