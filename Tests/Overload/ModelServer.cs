using HeartGrains.Gateway.Overload;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Overload;

/// <summary>A server that answers a fixed number of calls a second in their order, behind a controller; a millisecond of its time is one step of a loop.</summary>
internal sealed class ModelServer
{
    private readonly FakeTimeProvider _time = new();
    private readonly OverloadOptions _options;
    private readonly RateGate _gate;
    private readonly LatencyWindow _window = new();
    private readonly Queue<long> _inFlight = new();
    private readonly List<double> _latencies = [];
    private long _now;
    private double _arriving;
    private double _answering;
    private (long Answered, long ByRate, long InFlight) _interval;

    public ModelServer(OverloadOptions options, double capacity)
    {
        (_options, Capacity) = (options, capacity);
        Controller = new(options);
        _gate = new(_time);
        _gate.Set(Controller.MostPerSecond, Controller.Burst);
    }

    public AdmissionController Controller { get; }

    /// <summary>Calls it answers a second.</summary>
    public double Capacity { get; set; }

    /// <summary>Answered in the last run.</summary>
    public long Answered { get; private set; }

    /// <summary>Refused in the last run.</summary>
    public long Refused { get; private set; }

    /// <summary>The most in flight in the last run.</summary>
    public int MostInFlight { get; private set; }

    /// <summary>The latency in seconds that a part of the last run's answers stayed within.</summary>
    public double LatencyPart(double part) => _latencies.Order().ElementAt((int)(part * (_latencies.Count - 1)));

    public void Run(double seconds, double demand)
    {
        _latencies.Clear();
        (Answered, Refused, MostInFlight) = (0, 0, 0);
        for (var step = 0; step < seconds * 1_000; step++)
        {
            for (_arriving += demand / 1_000; _arriving >= 1; _arriving--) Arrive();
            _answering = Math.Min(_answering + (Capacity / 1_000), Capacity / 1_000 + 1);
            for (; _answering >= 1 && _inFlight.Count > 0; _answering--) Answer();
            _now++;
            _time.Advance(TimeSpan.FromMilliseconds(1));
            if (_now % (long)_options.Interval.TotalMilliseconds == 0) EndInterval();
        }
    }

    private void Arrive()
    {
        if (_inFlight.Count >= Controller.InFlightLimit)
        {
            Refused++;
            _interval.InFlight++;
        }
        else if (!_gate.TryPass())
        {
            Refused++;
            _interval.ByRate++;
        }
        else
        {
            _inFlight.Enqueue(_now);
            MostInFlight = Math.Max(MostInFlight, _inFlight.Count);
        }
    }

    private void Answer()
    {
        var latency = TimeSpan.FromMilliseconds(_now - _inFlight.Dequeue());
        _window.Record(latency);
        _latencies.Add(latency.TotalSeconds);
        Answered++;
        _interval.Answered++;
    }

    private void EndInterval()
    {
        Controller.Update(new(
            _options.Interval, _interval.Answered, _interval.ByRate, _interval.InFlight, _inFlight.Count, _window.TakeP95(20, 10), TimeSpan.Zero, CpuRatio: 0.5));
        _interval = default;
        _gate.Set(Controller.MostPerSecond, Controller.Burst);
    }
}
