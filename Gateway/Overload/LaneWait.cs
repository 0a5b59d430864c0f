namespace HeartGrains.Gateway.Overload;

/// <summary>
/// Time in which a call keeps the gateway from nothing: it waits for the rest of its body, for a long operation that goes on in a silo whoever waits, or for a client that takes its time to read a stream. It is
/// neither in flight nor in its latency. Otherwise a few hundred clients that send a byte a second would make the gateway refuse everyone else. A call's waits follow each other.
/// </summary>
internal sealed class LaneWait : IDisposable
{
    private readonly AdmissionLane _lane;
    private readonly TimeProvider _timeProvider;
    private readonly long _start;
    private readonly TimeSpan _before;
    private TimeSpan _waited;

    private LaneWait(AdmissionLane lane, TimeProvider timeProvider, TimeSpan before)
    {
        (_lane, _timeProvider, _before) = (lane, timeProvider, before);
        _start = timeProvider.GetTimestamp();
        lane.Pause();
    }

    /// <summary>The call waits; the result is disposed when it goes on.</summary>
    public static LaneWait? Begin(HttpContext context)
    {
        // What is in no lane yet must not make room in one: a button's call is let in when its body is there.
        if (!OverloadMiddleware.Judges(context) || context.RequestServices.GetService<OverloadGuard>() is not { } guard) return null;
        var wait = new LaneWait(guard.LaneOf(context.Request), context.RequestServices.GetRequiredService<TimeProvider>(), Of(context));
        context.Features.Set(wait);
        return wait;
    }

    /// <summary>How long the call has waited so far.</summary>
    public static TimeSpan Of(HttpContext context) => context.Features.Get<LaneWait>()?._waited ?? TimeSpan.Zero;

    public void Dispose()
    {
        _lane.Resume();
        _waited = _before + _timeProvider.GetElapsedTime(_start);
    }
}
