namespace HeartGrains.Resilience;

/// <summary>
/// A three-state circuit breaker. Passing and reporting while closed takes no lock and allocates nothing; transitions are taken under one. Each state lives in a phase of its
/// own, and an answer counts only in the phase its call passed in. There is no timer: the window is looked at by whoever calls, at most <see cref="LookPeriod"/> late.
/// </summary>
public sealed class Breaker
{
    /// <summary>How old a look at the window may be when it decides on a call.</summary>
    public static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan HalfOpenRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Func<double> _chance;
    private readonly BreakerWindow _window;
    private readonly long _lookTicks;
    private readonly double _secondsPerTick;
    private volatile Phase _phase;
    private BreakerReading _reading;
    private string _reason = "";
    private long _nextLook;
    private long _rejected;
    private int _breaks;
    private volatile bool _isDegraded;

    /// <summary>A closed breaker.</summary>
    /// <param name="name">The dependency, as in settings and metrics.</param>
    /// <param name="options">The rule.</param>
    /// <param name="time">The clock.</param>
    /// <param name="chance">Numbers from 0 to 1 for the jitter; chance itself by default.</param>
    public Breaker(string name, BreakerOptions options, TimeProvider time, Func<double>? chance = null)
    {
        (Name, Options, _time, _chance) = (name, options, time, chance ?? Random.Shared.NextDouble);
        var now = time.GetTimestamp();
        _window = new BreakerWindow(options.Window, options.P95, time.TimestampFrequency, now);
        _lookTicks = Math.Max(1, (long)(Math.Min(LookPeriod.TotalSeconds, options.Window.TotalSeconds / BreakerWindow.Slots) * time.TimestampFrequency));
        _secondsPerTick = 1.0 / time.TimestampFrequency;
        _nextLook = now + _lookTicks;
        _phase = new Phase(BreakerState.Closed, long.MaxValue, 0);
    }

    /// <summary>The dependency.</summary>
    public string Name { get; }

    /// <summary>The rule.</summary>
    public BreakerOptions Options { get; }

    /// <summary>Told of every change of state, in order, while no call can pass or report one; must be quick.</summary>
    public Action<BreakerTransition>? Changed { get; set; }

    /// <summary>Calls turned away since the start.</summary>
    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>An operator decides, and not the breaker.</summary>
    public bool IsForced => _phase.State is BreakerState.ForcedOpen or BreakerState.ForcedClosed;

    /// <summary>Closed, but answers are so bad that it may open soon: what can be told without asking should be.</summary>
    public bool IsDegraded
    {
        get
        {
            LookIfDue(_time.GetTimestamp());
            return _isDegraded && _phase.State == BreakerState.Closed;
        }
    }

    /// <summary>Lets the call pass, or says how long nobody will be let through. Whoever passes calls <see cref="Report"/> once.</summary>
    public bool TryPass(out BreakerTicket ticket, out TimeSpan retryAfter)
    {
        var now = _time.GetTimestamp();
        LookIfDue(now);
        var phase = _phase;
        if (phase.State == BreakerState.Open && now >= phase.Until) phase = Probe(phase, now);
        if (phase.State is BreakerState.Closed or BreakerState.ForcedClosed || (phase.State == BreakerState.HalfOpen && phase.TryTakeProbe()))
        {
            ticket = new BreakerTicket(phase, now);
            retryAfter = default;
            return true;
        }

        Interlocked.Increment(ref _rejected);
        ticket = default;
        retryAfter = RetryAfter(phase, now);
        return false;
    }

    /// <summary>As <see cref="TryPass"/>, for whoever only wants to know before it does more: false when a call would be turned away, and counts as one that was.</summary>
    public bool WouldPass(out TimeSpan retryAfter)
    {
        var phase = _phase;
        retryAfter = default;
        if (phase.State is BreakerState.Closed or BreakerState.ForcedClosed || (phase.State == BreakerState.HalfOpen && phase.HasProbe)) return true;
        var now = _time.GetTimestamp();
        if (now >= phase.Until) return true;
        Interlocked.Increment(ref _rejected);
        retryAfter = RetryAfter(phase, now);
        return false;
    }

    /// <summary>What became of a call that passed. Late answers, of a call that passed before the state last changed, are not counted.</summary>
    public void Report(in BreakerTicket ticket, CallVerdict verdict)
    {
        var phase = _phase;
        if (!ReferenceEquals(ticket.Phase, phase)) return;
        if (verdict == CallVerdict.Ignored)
        {
            phase.ReturnProbe();
            return;
        }

        var now = _time.GetTimestamp();
        var latency = Math.Max(0, now - ticket.PassedAt);
        if (phase.State == BreakerState.HalfOpen)
        {
            Judge(phase, verdict == CallVerdict.Reached || Options.IsGoodProbe(verdict == CallVerdict.Failed, TimeSpan.FromSeconds(latency * _secondsPerTick)), now);
            return;
        }

        if (verdict != CallVerdict.Reached) _window.Record(latency, verdict == CallVerdict.Failed);
        LookIfDue(now);
    }

    /// <summary>An operator's hand: keeps it open or closed until a time, or lets it decide by itself again.</summary>
    /// <param name="state"><see cref="BreakerState.ForcedOpen"/> or <see cref="BreakerState.ForcedClosed"/>; anything else is automatic.</param>
    /// <param name="lasting">How long; after that it decides by itself.</param>
    /// <param name="reason">The operator's.</param>
    public void Force(BreakerState state, TimeSpan lasting, string reason)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            if (state is BreakerState.ForcedOpen or BreakerState.ForcedClosed) Enter(new Phase(state, now + Ticks(lasting), 0), reason);
            else if (IsForced) Close(reason);
        }
    }

    /// <summary>How it stands.</summary>
    public BreakerStatus Look()
    {
        var now = _time.GetTimestamp();
        lock (_gate)
        {
            LookNow(now);
            var phase = _phase;
            TimeSpan? next = phase.Until == long.MaxValue ? null : TimeSpan.FromSeconds(Math.Max(0, phase.Until - now) * _secondsPerTick);
            return new BreakerStatus(phase.State, _reading, _isDegraded && phase.State == BreakerState.Closed, _reason, next, Rejected);
        }
    }

    private void LookIfDue(long now)
    {
        var due = Volatile.Read(ref _nextLook);
        if (now < due || Interlocked.CompareExchange(ref _nextLook, now + _lookTicks, due) != due) return;
        lock (_gate) LookNow(now);
    }

    private void LookNow(long now)
    {
        _reading = _window.Read(now);
        var phase = _phase;
        switch (phase.State)
        {
            case BreakerState.ForcedOpen or BreakerState.ForcedClosed when now >= phase.Until:
                Close("the time an operator set is over");
                break;
            case BreakerState.Closed when Options.Trips(_reading):
                Open(now, Describe(_reading));
                break;
        }

        _isDegraded = _reading.Calls >= Options.MinimumCalls && _reading.Health < Options.DegradedBelow;
    }

    private Phase Probe(Phase open, long now)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_phase, open)) return _phase;
            if (now >= open.Until) Enter(new Phase(BreakerState.HalfOpen, long.MaxValue, Options.Probes), "the break is over");
            return _phase;
        }
    }

    private void Judge(Phase phase, bool isGood, long now)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_phase, phase)) return;
            if (!isGood) Open(now, "a probe failed");
            else if (++phase.Successes >= Options.Probes) Close("the probes succeeded");
        }
    }

    private void Open(long now, string reason) => Enter(new Phase(BreakerState.Open, now + Ticks(Options.BreakNumber(++_breaks, _chance())), 0), reason);

    private void Close(string reason)
    {
        _window.Clear();
        _reading = default;
        _isDegraded = false;
        _breaks = 0;
        Enter(new Phase(BreakerState.Closed, long.MaxValue, 0), reason);
    }

    private void Enter(Phase phase, string reason)
    {
        var from = _phase.State;
        _reason = reason;
        _phase = phase;
        Changed?.Invoke(new BreakerTransition(Name, from, phase.State, reason));
    }

    private string Describe(in BreakerReading reading) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{reading.Failures} of {reading.Calls} calls failed ({reading.FailureRate:P1}), P95 {reading.P95.TotalMilliseconds:0} ms");

    private TimeSpan RetryAfter(Phase phase, long now) => phase.Until == long.MaxValue
        ? HalfOpenRetry
        : TimeSpan.FromSeconds(Math.Max(0, phase.Until - now) * _secondsPerTick);

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds / _secondsPerTick);

    /// <summary>One stay in a state.</summary>
    internal sealed class Phase(BreakerState state, long until, int probes)
    {
        private int _probesLeft = probes;

        public BreakerState State => state;

        /// <summary>The clock reading at which it ends by itself.</summary>
        public long Until => until;

        public int Successes { get; set; }

        public bool HasProbe => Volatile.Read(ref _probesLeft) > 0;

        public bool TryTakeProbe()
        {
            if (Interlocked.Decrement(ref _probesLeft) >= 0) return true;
            Interlocked.Increment(ref _probesLeft);
            return false;
        }

        public void ReturnProbe() => Interlocked.Increment(ref _probesLeft);
    }
}

/// <summary>Held by a call that passed.</summary>
public readonly struct BreakerTicket
{
    internal BreakerTicket(Breaker.Phase phase, long passedAt) => (Phase, PassedAt) = (phase, passedAt);

    internal Breaker.Phase? Phase { get; }

    internal long PassedAt { get; }
}
