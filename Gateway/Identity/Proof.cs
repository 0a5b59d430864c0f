using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Identity;

/// <summary>What the credentials that came with a call prove: that it is a server's, or a user's, or nothing.</summary>
internal sealed class Proof
{
    private Proof() { }

    /// <summary>A token that may be good: the keys that would tell could not be had.</summary>
    public static Proof Undecided { get; } = new();

    /// <summary>The server key, or null.</summary>
    public ServerKey? Key { get; private init; }

    /// <summary>The user of a signed token, or null.</summary>
    public string? UserId { get; private init; }

    /// <summary>Why they are not believed; null when they are.</summary>
    public string? Fault { get; private init; }

    /// <summary>How it was proved, for the log; null when it was not.</summary>
    public HeartOrigin? Origin { get; private init; }

    /// <summary>Until when a user's token is good.</summary>
    public DateTimeOffset ExpiresAt { get; private init; }

    /// <summary>A server's.</summary>
    public static Proof OfServer(ServerKey key) => new() { Key = key, Origin = key.Origin };

    /// <summary>A user's.</summary>
    public static Proof OfUser(string userId, DateTimeOffset expiresAt) => new() { UserId = userId, Origin = HeartOrigin.Jwt, ExpiresAt = expiresAt };

    /// <summary>Not believed.</summary>
    /// <param name="fault">Why, in words that fit a header and repeat nothing that came with the call.</param>
    public static Proof Refuted(string fault) => new() { Fault = fault };
}
