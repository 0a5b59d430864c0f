using System.Net;
using System.Threading.RateLimiting;
using BenchmarkDotNet.Attributes;
using HeartGrains.Gateway.RateLimiting;

namespace HeartGrains.LoadTest.LocalLimiter;

/// <summary>One decision each, on one thread, of the local limiter and of the library's token bucket.</summary>
public class LimiterBenchmarks : IDisposable
{
    private const int AddressCount = 1 << 12;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly IPAddress[] _addresses = [.. Enumerable.Range(0, AddressCount).Select(static i => new IPAddress(i * 2_654_435_761L % uint.MaxValue))];
    private TokenBucketRateLimiter? _library;
    private TokenBucketRateLimiter? _librarySpent;
    private LocalTokenBucket _local = null!;
    private LocalTokenBucket _localSpent = null!;
    private AddressLimits _table = null!;
    private int _next;

    /// <summary>Makes full buckets that nobody can spend, and spent ones that do not fill.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var clock = TimeProvider.System;
        _library = new TokenBucketRateLimiter(Library(int.MaxValue));
        _librarySpent = new TokenBucketRateLimiter(Library(1));
        _local = new LocalTokenBucket(new BucketTerms(1_000_000, 1_000_000_000, Second, clock), clock);
        _localSpent = new LocalTokenBucket(new BucketTerms(1, 1, TimeSpan.FromDays(1), clock), clock);
        _table = new AddressLimits(new BucketTerms(100, 1_000_000_000, Second, clock), 1 << 20, clock);
        _librarySpent.AttemptAcquire().Dispose();
        _localSpent.TryAcquire();
    }

    /// <summary>Stops the library's timer.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _library?.Dispose();
        _librarySpent?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The library, admitting.</summary>
    [Benchmark(Baseline = true, Description = "library admits")]
    public bool LibraryAdmits()
    {
        using var lease = _library!.AttemptAcquire();
        return lease.IsAcquired;
    }

    /// <summary>The gateway's bucket, admitting.</summary>
    [Benchmark(Description = "local admits")]
    public bool LocalAdmits() => _local.TryAcquire(out _);

    /// <summary>The table of addresses, admitting; nothing is prepaid, so each decision reads the clock.</summary>
    [Benchmark(Description = "address admits")]
    public bool AddressAdmits() => _table.TryAcquire(_addresses[_next++ & (AddressCount - 1)], out _);

    /// <summary>The library, refusing.</summary>
    [Benchmark(Description = "library refuses")]
    public bool LibraryRefuses()
    {
        using var lease = _librarySpent!.AttemptAcquire();
        return lease.IsAcquired;
    }

    /// <summary>The gateway's bucket, refusing and saying when to come back.</summary>
    [Benchmark(Description = "local refuses")]
    public bool LocalRefuses() => _localSpent.TryAcquire(out _);

    private static TokenBucketRateLimiterOptions Library(int tokenLimit) => new()
    {
        TokenLimit = tokenLimit,
        TokensPerPeriod = tokenLimit,
        ReplenishmentPeriod = tokenLimit == 1 ? TimeSpan.FromDays(1) : Second,
        AutoReplenishment = true,
    };
}
