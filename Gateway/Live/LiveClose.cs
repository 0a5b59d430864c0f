namespace HeartGrains.Gateway.Live;

/// <summary>Why a connection ended. <c>docs/live.md</c> has the same table, and says what a client does.</summary>
/// <param name="Code">The close code: RFC 6455's, or from 4000 ours.</param>
/// <param name="Reason">The close frame's reason, stable.</param>
/// <param name="IsSent">Whether a close frame says so; without one a client sees 1006.</param>
internal sealed record LiveClose(int Code, string Reason, bool IsSent = true)
{
    public static readonly LiveClose Bye = new(1000, "bye");
    public static readonly LiveClose GoingAway = new(1001, "going-away");
    public static readonly LiveClose ProtocolError = new(1002, "protocol-error");
    public static readonly LiveClose TextOnly = new(1003, "text-only");
    public static readonly LiveClose Gone = new(1006, "gone", IsSent: false);
    public static readonly LiveClose MessageTooBig = new(1009, "message-too-big");
    public static readonly LiveClose InternalError = new(1011, "internal-error", IsSent: false);
    public static readonly LiveClose Idle = new(4000, "idle");
    public static readonly LiveClose TooSlow = new(4001, "too-slow", IsSent: false);
    public static readonly LiveClose TooManyMessages = new(4002, "too-many-messages");
    public static readonly LiveClose NoPong = new(4003, "no-pong", IsSent: false);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<LiveClose> All { get; } =
        [Bye, GoingAway, ProtocolError, TextOnly, Gone, MessageTooBig, InternalError, Idle, TooSlow, TooManyMessages, NoPong];
}

/// <summary>What a client is refused while its connection goes on.</summary>
/// <param name="Code">Stable: clients may branch on it.</param>
/// <param name="Detail">This occurrence.</param>
internal sealed record LiveError(string Code, string Detail)
{
    public static readonly LiveError Unavailable = new("unavailable", "Some targets cannot be read now. They stay watched, and are told as soon as they can be.");

    public static LiveError InvalidMessage(string detail) => new("invalid-message", detail);

    public static LiveError TooManyTargets(string detail) => new("too-many-targets", detail);
}
