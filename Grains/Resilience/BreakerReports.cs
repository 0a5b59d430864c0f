namespace HeartGrains.Resilience;

/// <summary>Reports of breakers.</summary>
public static class BreakerReports
{
    /// <summary>How a breaker stands, as it is told to others.</summary>
    public static BreakerReport ToReport(this Breaker breaker)
    {
        var status = breaker.Look();
        var reading = status.Reading;
        return new BreakerReport(
            breaker.Name, status.State.Name(), status.IsDegraded, reading.Calls, reading.FailureRate, reading.P95, reading.Health, status.Rejected, status.Reason, status.NextAttempt);
    }
}
