using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>What a token must be like to be believed, checked.</summary>
internal sealed class JwtTerms
{
    /// <summary>The algorithms there are, each of one kind of key.</summary>
    public static readonly string[] KnownAlgorithms = [JwtKey.Rsa, JwtKey.Ecdsa, JwtKey.EdDsa, JwtKey.Hmac];

    private JwtTerms(JwtOptions options)
    {
        Options = options;
        Algorithms = ReadAlgorithms(options.Algorithms);
        Audience = options.Audience is { Length: > 0 } audience ? audience : throw Setting(nameof(JwtOptions.Audience), "Tokens for other services would be believed: say which audience is this one's");
        if (options.Authority is not null)
        {
            if (options.Keys is not null) throw Setting(nameof(JwtOptions.Keys), "Tokens have an authority or keys, not both");
            if (Array.TrueForAll(Algorithms, static algorithm => algorithm == JwtKey.Hmac)) throw Setting(nameof(JwtOptions.Algorithms), $"No token would be believed: an authority's keys are public, and {JwtKey.Hmac} takes secrets");
            Authority = ReadAuthority(options.Authority);
        }
        else if (string.IsNullOrEmpty(options.Issuer))
        {
            throw Setting(nameof(JwtOptions.Issuer), "Say who signs the tokens: the value of their iss");
        }
    }

    public JwtOptions Options { get; }

    public string[] Algorithms { get; }

    public string Audience { get; }

    /// <summary>Where the keys come from; null when they are configured.</summary>
    public Uri? Authority { get; }

    /// <summary>Reads the settings; null where users' tokens are off.</summary>
    /// <exception cref="StartException">They cannot be used.</exception>
    public static JwtTerms? Read(JwtOptions options)
    {
        if (options.Authority is not null || options.Keys is not null) return new JwtTerms(options);
        return options.Issuer is null && options.Audience is null
            ? null
            : throw Setting(nameof(JwtOptions.Authority), $"Tokens need an authority, or keys ({StartException.Spellings(JwtOptions.Section + ":" + nameof(JwtOptions.Keys))})");
    }

    /// <summary>Whether keys may come from there: nobody on the way can change them.</summary>
    public static bool IsSafe(Uri address) => address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    private static Uri ReadAuthority(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var authority) && IsSafe(authority) && authority.Query.Length == 0 && authority.Fragment.Length == 0 && authority.UserInfo.Length == 0
            ? authority
            : throw Setting(nameof(JwtOptions.Authority), "It is not the https address of who signs tokens, such as https://login.example.com; http is for loopback only");

    private static string[] ReadAlgorithms(string text)
    {
        var algorithms = text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var algorithm in algorithms)
            if (!KnownAlgorithms.Contains(algorithm, StringComparer.Ordinal))
                throw Setting(nameof(JwtOptions.Algorithms), $"'{algorithm}' is not taken; there are {string.Join(", ", KnownAlgorithms)}");
        return algorithms.Length > 0 ? algorithms : throw Setting(nameof(JwtOptions.Algorithms), $"No token would be believed; there are {string.Join(", ", KnownAlgorithms)}");
    }

    private static StartException Setting(string name, string problem) => StartException.Setting($"{JwtOptions.Section}:{name}", problem);
}
