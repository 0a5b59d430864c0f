using System.ComponentModel.DataAnnotations;
using HeartGrains.Gateway.Identity.Jwt;

namespace HeartGrains.Gateway.Identity;

/// <summary>Who may say who they are: section <c>HeartGrains:Auth</c>.</summary>
public sealed class AuthOptions
{
    /// <summary>The section's name.</summary>
    public const string Name = "Auth";

    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:" + Name;

    /// <summary>
    /// Whether a <c>user_id</c> is believed without proof. Default: only in the one-process modes that listen on loopback, of callers on this machine, and not where trusted proxies or sites beyond it are configured. Followed while the program runs.
    /// </summary>
    public bool? AllowClaimedUser { get; set; }

    /// <summary>The keys of back ends and operators. Default none. Followed while the program runs.</summary>
    public List<ServerKeyOptions> Keys { get; set; } = [];

    /// <summary>Users' signed tokens. Default off.</summary>
    public JwtOptions Jwt { get; set; } = new();
}

/// <summary>A server key; section <c>HeartGrains:Auth:Keys:N</c>.</summary>
public sealed class ServerKeyOptions
{
    /// <summary>What the log calls it: 1 to 40 of a-z, 0-9 and -.</summary>
    [RegularExpression("^[a-z0-9-]{1,40}$", ErrorMessage = "a key's name has 1 to 40 of a-z, 0-9 and -")]
    public string? Name { get; set; }

    /// <summary><c>sha256:</c> and the SHA-256 of the key in hexadecimal digits. The key itself is in no setting.</summary>
    public string? Hash { get; set; }

    /// <summary>What it may do: <c>hearts:write</c>, <c>hearts:read</c>, <c>hearts:admin</c>, with commas between them.</summary>
    public string? Scopes { get; set; }
}
