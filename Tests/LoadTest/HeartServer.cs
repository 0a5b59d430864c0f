using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.LoadTest;

/// <summary>What a <see cref="HeartServer"/> does wrong to one heart in a hundred.</summary>
public enum HeartServerFault
{
    None,
    LosesHeart,
    CountsTwice,
    CountsTooFew,
    StoresThoughRefused,
    CreatesTwice,
    LosesAnswer,
    CutsConnection,
    NeverAnswers,
    ReadsFail,
}

/// <summary>A tiny heart service in memory that is right, or wrong in one way, to try the load test's judgement on.</summary>
public sealed class HeartServer : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _hearts = new();
    private readonly ConcurrentDictionary<string, int> _countErrors = new();
    private readonly WebApplication _app;
    private int _calls;

    private HeartServer(HeartServerFault fault)
    {
        Fault = fault;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/health/live", static () => "live");
        _app.MapPost("/api/v1/hearts", GiveAsync);
        _app.MapPost("/api/v1/hearts/query", QueryAsync);
    }

    public HeartServerFault Fault { get; set; }

    /// <summary>How often each address called.</summary>
    public ConcurrentDictionary<string, int> Callers { get; } = new();

    public bool Refuses { get; set; }

    public Uri Url => new(_app.Urls.Single());

    public static async Task<HeartServer> StartAsync(HeartServerFault fault = HeartServerFault.None)
    {
        var server = new HeartServer(fault);
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task GiveAsync(HttpContext http)
    {
        Callers.AddOrUpdate($"{http.Connection.RemoteIpAddress}", 1, static (_, calls) => calls + 1);
        var heart = await JsonSerializer.DeserializeAsync<Heart>(http.Request.Body, Json);
        var fault = Interlocked.Increment(ref _calls) % 100 == 7 ? Fault : HeartServerFault.None;
        if (Refuses)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var stored = fault != HeartServerFault.LosesHeart;
        var created = !stored || Users(heart!.TargetId).TryAdd(heart.UserId, true);
        if (created && fault == HeartServerFault.CountsTwice) _countErrors.AddOrUpdate(heart!.TargetId, 1, (_, n) => n + 1);
        if (created && fault == HeartServerFault.CountsTooFew) _countErrors.AddOrUpdate(heart!.TargetId, -1, (_, n) => n - 1);
        switch (fault)
        {
            case HeartServerFault.StoresThoughRefused:
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            case HeartServerFault.LosesAnswer:
                http.Response.StatusCode = StatusCodes.Status504GatewayTimeout;
                return;
            case HeartServerFault.CutsConnection:
                http.Abort();
                return;
            case HeartServerFault.NeverAnswers:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
        }

        var isNew = created || Fault == HeartServerFault.CreatesTwice;
        http.Response.StatusCode = isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        await http.Response.WriteAsJsonAsync(new { heart!.TargetId, heart.UserId, Count = Count(heart.TargetId), Created = isNew }, Json);
    }

    private async Task QueryAsync(HttpContext http)
    {
        var query = await JsonSerializer.DeserializeAsync<Query>(http.Request.Body, Json);
        if (Fault == HeartServerFault.ReadsFail)
        {
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }
        var hearts = query!.TargetIds.Select(target => new
        {
            TargetId = target,
            Count = Count(target),
            Version = Count(target),
            Hearted = query.UserId is { } user ? Users(target).ContainsKey(user) : (bool?)null,
        });
        await http.Response.WriteAsJsonAsync(new { Hearts = hearts }, Json);
    }

    private int Count(string target) => Users(target).Count + _countErrors.GetValueOrDefault(target);

    private ConcurrentDictionary<string, bool> Users(string target) => _hearts.GetOrAdd(target, _ => new());

    private sealed record Heart(string TargetId, string UserId);

    private sealed record Query(string[] TargetIds, string? UserId);
}
