using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using HeartGrains.Audit;
using HeartGrains.Jobs;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HeartGrains.Tests.OpenApi;

/// <summary>Gateways in trouble, on which every operation is called as its examples show: what only limits, lost bodies and silos that do not answer can cause.</summary>
internal static class TroubledApi
{
    private static readonly Type[] Working = [typeof(IJobGrain), typeof(IJobDeskGrain), typeof(IVerifyGrain)];
    private static readonly Type[] Ruling = [typeof(IModerationGrain), typeof(IRateLimitGrain)];

    /// <summary>All of them, one after the other.</summary>
    public static async Task<List<ApiAnswer>> AllAsync() => [.. await WithoutGrainsAsync(), .. await OfSpentAddressAsync(), .. await OfSpentUsersAsync(), .. await OfUnwellGatewayAsync()];

    /// <summary>No grain of hearts answers, so that operations last: 202, and 503 or 504 of all else. Then none that runs operations, then no grain at all.</summary>
    private static async Task<IEnumerable<ApiAnswer>> WithoutGrainsAsync()
    {
        var stall = new StalledGrains();
        await using var server = new ApiServer(
            services => services.AddSingleton<IIncomingGrainCallFilter>(stall),
            "--HeartGrains:Breakers:Hearts:MinimumCalls=1000000", "--HeartGrains:Breakers:Quota:MinimumCalls=1000000", "--HeartGrains:Resilience:CallTimeout=00:00:05",
            "--HeartGrains:Resilience:QuotaTimeout=00:00:02", "--HeartGrains:Live:MaxConnections=0", "--HeartGrains:Audit:WatchPeriod=00:00:00");
        await server.InitializeAsync();
        var plan = await CallPlan.PrepareAsync(server);
        try
        {
            stall.Holds = static type => !Working.Contains(type) && !Ruling.Contains(type);
            var lasting = await server.CallTogetherAsync(call => plan.Few(call));
            stall.Holds = static type => Working.Contains(type);
            var unstarted = await server.CallTogetherAsync(call => call.Statuses.Contains(202) ? plan.Few(call) : []);
            stall.Holds = static _ => true;
            return [.. lasting, .. unstarted, .. await server.CallTogetherAsync(call => plan.Few(call).Select(static request => CallPlan.Instead(request, "post_123", "post_unheard_of")))];
        }
        finally
        {
            stall.Release();
        }
    }

    /// <summary>The address has had all its calls, and holds all the connections it may.</summary>
    private static async Task<IEnumerable<ApiAnswer>> OfSpentAddressAsync()
    {
        await using var server = new ApiServer(
            "--HeartGrains:LocalLimits:Address:TokenLimit=1", "--HeartGrains:LocalLimits:Address:TokensPerPeriod=1", "--HeartGrains:LocalLimits:Address:ReplenishmentPeriod=01:00:00",
            "--HeartGrains:Live:MaxConnectionsPerAddress=1");
        await server.InitializeAsync();
        using var live = new ClientWebSocket();
        await live.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Gateway.Url.Port}/api/v1/live"), TestContext.Current.CancellationToken);
        using (await server.Client.GetAsync("/api/v1/hearts/top")) { }

        // What no limit refuses is refused who brings a key that nobody knows.
        return await server.CallAllAsync(static call => call.Statuses.Contains(429) ? [.. CallPlan.OfNothing.Few(call), .. CallPlan.OfNothing.Few(call, "a guess")] : []);
    }

    /// <summary>Users have one token a day.</summary>
    private static async Task<IEnumerable<ApiAnswer>> OfSpentUsersAsync()
    {
        const string Policy = "--HeartGrains:RateLimits:Policies:0:";
        await using var server = new ApiServer(Policy + "TokenLimit=1", Policy + "ReplenishmentPeriod=1.00:00:00");
        await server.InitializeAsync();
        return await server.CallAllAsync(static call => call.Statuses.Contains(429) ? CallPlan.OfNothing.Few(call) : []);
    }

    /// <summary>The gateway takes no more calls, tokens cannot be verified, and it is not well.</summary>
    private static async Task<IEnumerable<ApiAnswer>> OfUnwellGatewayAsync()
    {
        await using var server = new ApiServer(
            static services => services.AddHealthChecks().AddCheck("a test", static () => HealthCheckResult.Unhealthy("unwell"), ["ready"]),
            "--HeartGrains:LocalLimits:Gateway:TokenLimit=1", "--HeartGrains:LocalLimits:Gateway:TokensPerPeriod=1", "--HeartGrains:LocalLimits:Gateway:ReplenishmentPeriod=01:00:00",
            "--HeartGrains:Auth:Jwt:Authority=http://127.0.0.1:9", $"--HeartGrains:Auth:Jwt:Audience={TestSigner.Audience}");
        await server.InitializeAsync();
        var token = JwtServer.Rsa.Sign("u456", TimeProvider.System.GetUtcNow());
        return await server.CallAllAsync(call => call.Statuses.Contains(503) ? CallPlan.OfNothing.Few(call, token) : []);
    }

    /// <summary>Bodies that begin and do not end: all wait together.</summary>
    public static async Task<IEnumerable<ApiAnswer>> OfLostBodiesAsync(ApiServer server) =>
        await Task.WhenAll(server.Api.Calls.Where(static call => call.Bodies is not null).Select(async call =>
        {
            using var request = CallPlan.OfNothing.Examples(call).First();
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", server.Gateway.Url.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                $"{request.Method} {request.RequestUri} HTTP/1.1\r\nHost: {server.Gateway.Url.Authority}\r\nConnection: close\r\nContent-Type: {request.Content!.Headers.ContentType}\r\nContent-Length: 100\r\n"
                + string.Concat(request.Headers.Select(static header => $"{header.Key}: {string.Join(", ", header.Value)}\r\n")) + "\r\n{"));
            var received = new MemoryStream();
            await new NetworkStream(socket).CopyToAsync(received);
            using var answer = Parse(Encoding.UTF8.GetString(received.ToArray()));
            return new ApiAnswer(call.Id, (int)answer.StatusCode, await server.Api.FaultsOfAsync(call, answer));
        }));

    private static HttpResponseMessage Parse(string text)
    {
        var lines = text[..text.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");
        var answer = new HttpResponseMessage((System.Net.HttpStatusCode)int.Parse(lines[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        var body = text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        var isChunked = text.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.Ordinal);
        answer.Content = new StringContent(isChunked ? body[(body.IndexOf("\r\n", StringComparison.Ordinal) + 2)..body.LastIndexOf("\r\n0\r\n", StringComparison.Ordinal)] : body);
        answer.Content.Headers.ContentType = null;
        foreach (var line in lines.Skip(1))
        {
            var (name, value) = (line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            if (!answer.Headers.TryAddWithoutValidation(name, value)) answer.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return answer;
    }

    /// <summary>Holds the calls to grains of ours until the end.</summary>
    private sealed class StalledGrains : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Func<Type, bool> Holds { private get; set; } = static _ => false;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            var type = context.InterfaceMethod.DeclaringType!;
            if (type.FullName!.StartsWith("HeartGrains.", StringComparison.Ordinal) && Holds(type)) await _released.Task;
            await context.Invoke();
        }

        public void Release()
        {
            Holds = static _ => false;
            _released.TrySetResult();
        }
    }
}

/// <summary>An answer, and what the document does not say of it.</summary>
internal sealed record ApiAnswer(string Id, int Status, IReadOnlyList<string> Faults);
