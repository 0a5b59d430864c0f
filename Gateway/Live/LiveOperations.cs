using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Live;

/// <summary>The handshake of live hearts as the API's document describes it.</summary>
internal static class LiveOperations
{
    public static readonly Operation Connect = new(
        "watchTargets", "Live", "Watch targets", """A WebSocket (RFC 6455): `{"subscribe":["post_123"]}` is answered with the state of each target at once, and with every change after it. Messages and close codes are in docs/live.md.""")
    {
        Answers =
        [
            new(101, "It is a WebSocket now.", null, new Header("Upgrade", "What it is now.", "websocket"), new Header("Connection", "As HTTP asks for.", "Upgrade"), new Header("Sec-WebSocket-Accept", "As RFC 6455 asks for.", "…")),
        ],
        Problems = [Problem.OriginNotAllowed, Problem.UpgradeRequired, Problem.TooManyConnections, Problem.Unavailable, Problem.TemporaryReducedCapacity],
    };
}
