using System.Net;
using HeartGrains.Gateway.Resilience;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Polly;

namespace HeartGrains.Tests.Resilience;

public sealed class RecoveryStrategyTests : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly ResilienceOptions _settings = new() { CallTimeout = TimeSpan.FromMinutes(1) };
    private readonly SiloDirectory _silos = new();
    private readonly CancellationTokenSource _caller = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<TimeSpan> _attempts = [];
    private readonly SiloProbe _probe;
    private RetryBudget _budget;

    public RecoveryStrategyTests()
    {
        _probe = new SiloProbe(_silos, new RecoveryMetrics(), TimeProvider.System);
        _budget = new RetryBudget(_settings.RetryBudget);
    }

    public void Dispose()
    {
        _probe.Dispose();
        _caller.Dispose();
    }

    [Theory]
    [InlineData("Answered", 1)]
    [InlineData("Overloaded", 1)]
    [InlineData("Lost", 1)]
    [InlineData("Aborted", 1)]
    [InlineData("Conflict", 8)]
    [InlineData("NotSent", 8)]
    [InlineData("Rejected", 8)]
    public async Task Execute_Outcome_IsTriedAgainOnlyWhenTransient(string name, int attempts)
    {
        var outcome = Enum.Parse<AttemptResult>(name);
        (await ExecuteAsync(_ => outcome)).Result.ShouldBe(outcome);
        _attempts.Count.ShouldBe(attempts);
    }

    [Fact]
    public async Task Execute_Exception_IsNotTriedAgain()
    {
        (await ExecuteAsync(static _ => throw new IOException())).Exception.ShouldBeOfType<IOException>();
        _attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Execute_FailsTwice_AnswersAfterTheScheduledWaits()
    {
        (await ExecuteAsync(static attempt => attempt < 2 ? AttemptResult.NotSent : AttemptResult.Answered)).Result.ShouldBe(AttemptResult.Answered);
        _attempts.Count.ShouldBe(3);
        (_attempts[1] - _attempts[0]).ShouldBeInRange(TimeSpan.FromMilliseconds(80), TimeSpan.FromMilliseconds(120) + Step);
        (_attempts[2] - _attempts[1]).ShouldBeInRange(TimeSpan.FromMilliseconds(160), TimeSpan.FromMilliseconds(240) + Step);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Execute_Limit_EndsTheRetries(int limit)
    {
        _settings.RetryLimit = limit;
        (await ExecuteAsync(static _ => AttemptResult.NotSent)).Result.ShouldBe(AttemptResult.NotSent);
        _attempts.Count.ShouldBe(1 + limit);
    }

    [Fact]
    public async Task Execute_BudgetIsSpent_EndsTheRetries()
    {
        while (_budget.Left > 2) _budget.TryTake();
        await ExecuteAsync(static _ => AttemptResult.NotSent);
        _attempts.Count.ShouldBe(3);

        // Ten calls pay for one retry; the first has paid already.
        for (var call = 0; call < 8; call++) await ExecuteAsync(static _ => AttemptResult.Answered);
        _attempts.Clear();
        await ExecuteAsync(static _ => AttemptResult.NotSent);
        _attempts.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Execute_BudgetOfZero_NeverTriesAgain()
    {
        _budget = new RetryBudget(0);
        await ExecuteAsync(static _ => AttemptResult.NotSent);
        _attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Execute_NoTimeLeftForTheNextWait_EndsAtOnce()
    {
        // After the third attempt, 300 ms in, the wait would be 400 ms.
        _settings.CallTimeout = TimeSpan.FromMilliseconds(500);
        var startedAt = _time.GetTimestamp();
        await ExecuteAsync(static _ => AttemptResult.NotSent);
        _attempts.Count.ShouldBe(3);
        _time.GetElapsedTime(startedAt).ShouldBeLessThan(TimeSpan.FromMilliseconds(360) + (3 * Step));
    }

    [Fact]
    public async Task Execute_CallerGoesAwayInTheWait_EndsWithoutAnotherAttempt()
    {
        (await ExecuteAsync(attempt =>
        {
            if (attempt == 1) _caller.Cancel();
            return AttemptResult.NotSent;
        })).Result.ShouldBe(AttemptResult.NotSent);
        _attempts.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(200, 8)]
    [InlineData(503, 4)]
    public async Task Execute_BeforeTheFifthAttempt_AsksASiloAndGivesUpWhenItIsNotReady(int status, int attempts)
    {
        var asked = new List<(string Request, int Attempts)>();
        await using var silo = await StartSiloAsync(context =>
        {
            asked.Add(($"{context.Request.Method} {context.Request.Path}", _attempts.Count));
            context.Response.StatusCode = status;
        });
        _silos.Learn(silo.Urls);

        (await ExecuteAsync(static _ => AttemptResult.NotSent)).Result.ShouldBe(AttemptResult.NotSent);
        asked.ShouldBe([("HEAD /health/ready", 4)]);
        _attempts.Count.ShouldBe(attempts);
    }

    [Fact]
    public async Task Execute_SiloIsAsked_AfterTheWait()
    {
        var askedAt = default(TimeSpan);
        await using var silo = await StartSiloAsync(context =>
        {
            askedAt = Now;
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        });
        _silos.Learn(silo.Urls);

        await ExecuteAsync(static _ => AttemptResult.NotSent);
        (askedAt - _attempts[^1]).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(640));
    }

    [Fact]
    public async Task Execute_SiloDoesNotListen_GivesUp()
    {
        var silo = await StartSiloAsync(static _ => { });
        _silos.Learn(silo.Urls);
        await silo.DisposeAsync();

        await ExecuteAsync(static _ => AttemptResult.NotSent);
        _attempts.Count.ShouldBe(4);
    }

    /// <summary>Whatever HTTP_PROXY says: what a proxy answers says nothing of the silo.</summary>
    [Fact]
    public async Task Probe_ProxyIsSet_AsksTheSiloItself()
    {
        await using var silo = await StartSiloAsync(static _ => { });
        await using var proxy = await StartSiloAsync(static context => context.Response.StatusCode = StatusCodes.Status502BadGateway);
        _silos.Learn(silo.Urls);
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyOf(new Uri(silo.Urls.First()), new Uri(proxy.Urls.First()));
        try
        {
            (await _probe.IsReadyAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    private TimeSpan Now => _time.GetUtcNow() - DateTimeOffset.UnixEpoch;

    private static async Task<WebApplication> StartSiloAsync(Action<HttpContext> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context =>
        {
            answer(context);
            return Task.CompletedTask;
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    /// <summary>Makes one call, and lets time pass until it has ended.</summary>
    private async Task<Outcome<AttemptResult>> ExecuteAsync(Func<int, AttemptResult> attempt)
    {
        var strategy = new RecoveryStrategy(
            new RecoverySchedule(_settings.RetryDelay, _settings.MaxRetryDelay), _budget, _probe, _settings.RetryLimit, _settings.CallTimeout, new RecoveryMetrics(), _time);
        var pipeline = new ResiliencePipelineBuilder<AttemptResult>().AddStrategy(_ => strategy, new NoOptions()).Build();
        var context = ResilienceContextPool.Shared.Get(_caller.Token);
        var number = 0;
        var call = pipeline.ExecuteOutcomeAsync(
            (_, _) =>
            {
                _attempts.Add(Now);
                try
                {
                    return Outcome.FromResultAsValueTask(attempt(number++));
                }
                catch (IOException exception)
                {
                    return Outcome.FromExceptionAsValueTask<AttemptResult>(exception);
                }
            },
            context, 0).AsTask();
        while (!call.IsCompleted)
        {
            _time.Advance(Step);

            // Only a silo's answer takes real time.
            if (_silos.Silos.Count > 0) await Task.WhenAny(call, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken));
        }

        ResilienceContextPool.Shared.Return(context);
        return await call;
    }

    private sealed class NoOptions : ResilienceStrategyOptions;

    /// <summary>A proxy for one server alone: other tests run beside this one.</summary>
    private sealed class ProxyOf(Uri server, Uri proxy) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : proxy;

        public bool IsBypassed(Uri host) => host.Port != server.Port;
    }
}
