namespace HeartGrains.Gateway.Overload;

/// <summary>
/// The time a call waits for the rest of its body is its client's, not ours: it is neither in flight nor in its latency. Otherwise a few hundred clients that send a byte a second
/// would make the gateway refuse everyone else.
/// </summary>
internal sealed class BodyWait : IDisposable
{
    private readonly AdmissionLane _lane;
    private readonly TimeProvider _timeProvider;
    private readonly long _start;
    private TimeSpan _waited;

    private BodyWait(AdmissionLane lane, TimeProvider timeProvider)
    {
        (_lane, _timeProvider) = (lane, timeProvider);
        _start = timeProvider.GetTimestamp();
        lane.Pause();
    }

    /// <summary>The body is not there yet; the result is disposed when it is, or never will be.</summary>
    public static BodyWait? Begin(HttpContext context)
    {
        // What is in no lane yet must not make room in one: a button's call is let in when its body is there.
        if (!OverloadMiddleware.Judges(context) || context.RequestServices.GetService<OverloadGuard>() is not { } guard) return null;
        var wait = new BodyWait(guard.LaneOf(context.Request), context.RequestServices.GetRequiredService<TimeProvider>());
        context.Features.Set(wait);
        return wait;
    }

    /// <summary>How long the call waited for its body.</summary>
    public static TimeSpan Of(HttpContext context) => context.Features.Get<BodyWait>()?._waited ?? TimeSpan.Zero;

    public void Dispose()
    {
        _lane.Resume();
        _waited = _timeProvider.GetElapsedTime(_start);
    }
}
