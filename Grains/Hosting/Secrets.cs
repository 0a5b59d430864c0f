using System.Data.Common;
using System.Text.RegularExpressions;

namespace HeartGrains.Hosting;

/// <summary>Which settings are secrets, and what is shown in their place.</summary>
internal static partial class Secrets
{
    /// <summary>Stands for a secret.</summary>
    public const string Mask = "******";

    // Of no pattern that a text can make slow, so it is the machine's load that would be told.
    private const int TimeLimitMillis = 30_000;

    /// <summary>Judges by the name, so that a new secret is one without anybody's doing: the last word of the key, before any number of a list.</summary>
    public static bool IsNameOfSecret(string key) => Names().IsMatch(key);

    /// <summary>The value as it may be shown.</summary>
    public static string Hide(string key, string value)
    {
        if (value.Length == 0) return value;
        if (IsNameOfSecret(key)) return Mask;
        if (key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)) return HideInConnection(value);

        // Many receivers of webhooks know their senders by the path.
        if (Receivers().IsMatch(key)) return Uri.TryCreate(value, UriKind.Absolute, out var receiver) ? receiver.PathAndQuery == "/" ? receiver.GetLeftPart(UriPartial.Authority) : receiver.Scheme + "://" + receiver.Authority + "/" + Mask : Mask;
        return UserInfo().Replace(value, $"${{user}}{Mask}@");
    }

    /// <summary>Redis' parts are parted by commas and never quoted, PostgreSQL's by semicolons; what is neither may be anything. A name that is not known may be a misspelt one of a password, or the rest of one.</summary>
    private static string HideInConnection(string value)
    {
        if (!value.Contains(';', StringComparison.Ordinal) && !value.StartsWith("Host=", StringComparison.OrdinalIgnoreCase))
            return value.Contains("://", StringComparison.Ordinal) ? Mask : HideInRedis(value);
        try
        {
            var (parts, shown) = (new DbConnectionStringBuilder { ConnectionString = value }, new DbConnectionStringBuilder());
            foreach (var name in parts.Keys.Cast<string>()) shown[IsHarmless(name) || IsPassword(name) ? name : Mask] = IsHarmless(name) ? parts[name] : Mask;
            return shown.ConnectionString;
        }
        catch (ArgumentException)
        {
            return Mask;
        }
    }

    /// <summary>Servers stand before what has a name; behind it, a part without one is the rest of a value.</summary>
    private static string HideInRedis(string value)
    {
        var parts = value.Split(',');
        var servers = parts.TakeWhile(static part => !part.Contains('=', StringComparison.Ordinal)).Count();
        return string.Join(',', parts.Select((part, index) =>
        {
            var name = part.Split('=')[0];
            return index < servers || (name != part && IsHarmless(name)) ? part : name != part && IsPassword(name) ? $"{name}={Mask}" : Mask;
        }));
    }

    private static bool IsHarmless(string name) => Harmless().IsMatch(name.Trim());

    private static bool IsPassword(string name) => Passwords().IsMatch(name.Trim());

    [GeneratedRegex("((key|secret|password|hash|pem|header)s?|token)(:[0-9]+)*$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Names();

    [GeneratedRegex("(^|:)Webhooks:Endpoints:[^:]+:Url$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Receivers();

    [GeneratedRegex("^(ssl ?)?(password|pwd|psw)$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Passwords();

    [GeneratedRegex(
        "^(host|server|port|database|db|user ?(name|id)?|(application|client|service)? ?name|pooling|(min|max)(imum)? pool size|(command |connect|sync|async|cancellation )?timeout|keepalive|ssl|ssl ?mode|ssl ?host|sslProtocols|search path|target session attributes|(connection (idle )?)?lifetime|include error detail|multiplexing|abortConnect|allowAdmin|channelPrefix|connectRetry|defaultDatabase|resolveDns|tiebreaker|version|protocol|proxy)$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Harmless();

    [GeneratedRegex("(?<user>://[^/?#@:]*:).*@", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex UserInfo();
}
