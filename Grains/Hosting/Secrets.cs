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

    /// <summary>Redis' parts are parted by commas and never quoted, PostgreSQL's by semicolons; what is neither may be anything.</summary>
    private static string HideInConnection(string value)
    {
        if (!value.Contains(';', StringComparison.Ordinal) && !value.StartsWith("Host=", StringComparison.OrdinalIgnoreCase))
            return value.Contains("://", StringComparison.Ordinal) ? Mask : string.Join(',', value.Split(',').Select(part => IsPassword(part.Split('=')[0]) ? $"{part.Split('=')[0]}={Mask}" : part));
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = value };
            foreach (var name in parts.Keys.Cast<string>().Where(IsPassword).ToArray()) parts[name] = Mask;
            return parts.ConnectionString;
        }
        catch (ArgumentException)
        {
            return Mask;
        }
    }

    private static bool IsPassword(string name) => Passwords().IsMatch(name.Trim());

    [GeneratedRegex("((key|secret|password|hash|pem|header)s?|token)(:[0-9]+)*$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Names();

    [GeneratedRegex("(^|:)Webhooks:Endpoints:[^:]+:Url$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Receivers();

    [GeneratedRegex("^(ssl ?)?(password|pwd|psw)$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex Passwords();

    [GeneratedRegex("(?<user>://[^/?#@:]*:)[^/?#@]*@", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: TimeLimitMillis)]
    private static partial Regex UserInfo();
}
