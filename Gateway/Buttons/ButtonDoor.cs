using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Buttons;

/// <summary>
/// The local limits and the overload guard for calls of buttons made elsewhere: the middlewares of <c>/api</c> would answer with a problem, which those buttons cannot read, and refuse at once what
/// is worth a wait.
/// </summary>
internal sealed class ButtonDoor(LocalLimits limits, OverloadGuard guard, IOptions<OverloadOptions> overload, TimeProvider time)
{
    /// <summary>Whether the caller's address may call; asked once a call.</summary>
    public bool Admits(HttpContext context)
    {
        if (limits.Current is not { Addresses: { } addresses } current || addresses.TryAcquire(context.Connection.RemoteIpAddress, out _)) return true;
        if (current.IsAddressShadow)
        {
            LocalLimitMetrics.WouldBeRefusedByAddress();
            return true;
        }

        LocalLimitMetrics.RefusedByAddress();
        return false;
    }

    /// <summary>Whether the gateway has room; then the visit must be left.</summary>
    public bool TryEnter(HttpContext context, out Visit visit)
    {
        visit = default;
        if (limits.Current?.Gateway is { } gateway && !gateway.TryAcquire(out _))
        {
            LocalLimitMetrics.RefusedByGateway();
            return false;
        }

        if (!overload.Value.Enabled) return true;
        var lane = guard.LaneOf(context.Request);
        if (!lane.TryEnter()) return false;
        visit = new Visit(lane, time);
        return true;
    }

    /// <summary>A call within: in flight, and its time measured, until it leaves.</summary>
    public readonly struct Visit(AdmissionLane lane, TimeProvider time)
    {
        private readonly long _start = time.GetTimestamp();

        /// <summary>Ends it; <paramref name="isServed"/>: it did what it is for.</summary>
        public void Leave(bool isServed) => lane?.Leave(time.GetElapsedTime(_start), isServed);
    }
}
