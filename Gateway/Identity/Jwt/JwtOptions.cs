using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>Users' signed tokens: section <c>HeartGrains:Auth:Jwt</c>. Off unless <see cref="Authority"/> or <see cref="Keys"/> is set.</summary>
public sealed class JwtOptions
{
    /// <summary>The section these options are read from.</summary>
    public const string Section = AuthOptions.Section + ":" + nameof(AuthOptions.Jwt);

    /// <summary>The address of who signs, such as <c>https://login.example.com</c>: its keys are found by OpenID Connect Discovery. https, or http on loopback. Default none.</summary>
    public string? Authority { get; set; }

    /// <summary>The keys themselves instead: a JSON Web Key Set, or the path of a file that holds one. Either is followed while the program runs. Default none.</summary>
    public string? Keys { get; set; }

    /// <summary>Who must have signed (<c>iss</c>). Default with <see cref="Authority"/>: what it calls itself; with <see cref="Keys"/> it must be set.</summary>
    public string? Issuer { get; set; }

    /// <summary>For whom tokens must be (<c>aud</c>): this service's name at who signs. Must be set.</summary>
    public string? Audience { get; set; }

    /// <summary>The algorithms that are taken, of RS256, ES256, EdDSA and HS256, with commas between them. Default all but HS256.</summary>
    public string Algorithms { get; set; } = "RS256,ES256,EdDSA";

    /// <summary>How far the clock of who signs may be off; default 30 s, at most 60.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the authority's keys are fetched, so that one that was withdrawn is forgotten; default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan RefreshPeriod { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The least time between two fetches, however many tokens name a key that is not known; default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan MinRefreshInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Tokens whose signature is remembered until they expire, so that it is checked once; default 10,000.</summary>
    [Range(1, 1_000_000)]
    public int RememberedTokens { get; set; } = 10_000;
}
