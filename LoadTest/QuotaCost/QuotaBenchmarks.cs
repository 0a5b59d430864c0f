using BenchmarkDotNet.Attributes;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace HeartGrains.LoadTest.QuotaCost;

/// <summary>What the quota adds to the heart of a user who was not seen before: a decision of the slices and the two headers.</summary>
public class QuotaBenchmarks
{
    /// <summary>Users in the table while it is measured.</summary>
    public const int Users = 1_000_000;

    private readonly HastyClock _clock = new();
    private readonly HttpContext _context = new DefaultHttpContext();
    private Quota _quota = null!;
    private long _user;

    /// <summary>Fills the table. The clock then moves on so fast that a user's entry is free again when a million others have come.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var policy = QuotaTables.Policy;
        _clock.TicksPerRead = policy.WindowTicks(_clock.TimestampFrequency) / policy.SliceTokens / Users;
        _quota = QuotaTables.Seated(_clock, Users, out _);
        for (var user = 0; user < Users; user++) Judge();
    }

    /// <summary>The identifier alone, which the server makes out of the body anyway.</summary>
    [Benchmark(Baseline = true, Description = "user id")]
    public string Id() => NextUser();

    /// <summary>The decision, and the headers written into a collection that is empty as for each request.</summary>
    [Benchmark(Description = "user id and quota")]
    public bool Judge()
    {
        var pending = _quota.AcquireAsync(new QuotaKeys(NextUser(), TargetId: "t"), CancellationToken.None);
        if (!pending.IsCompletedSuccessfully) return false;
        var judgement = pending.Result;
        QuotaHeaders.Write(_context, judgement);
        _context.Response.Headers.Clear();
        return judgement.Status == QuotaStatus.Admitted;
    }

    private string NextUser() => string.Create(11, ++_user, static (id, user) =>
    {
        id[0] = 'u';
        user.TryFormat(id[1..], out _, "D10");
    });

    /// <summary>The machine's clock, and a little more at each reading.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private long _ahead;

        public long TicksPerRead { get; set; }

        public override long TimestampFrequency => System.TimestampFrequency;

        public override long GetTimestamp() => System.GetTimestamp() + (_ahead += TicksPerRead);
    }
}
