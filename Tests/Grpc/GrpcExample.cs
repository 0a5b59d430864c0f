using Grpc.Core;
using Grpc.Net.Client;
using HeartGrains.V1;
using HeartsApi = HeartGrains.V1.Hearts;

namespace HeartGrains.Tests.Grpc;

/// <summary>The client of <c>docs/grpc.md</c>, word for word.</summary>
internal static class GrpcExample
{
    public static async Task<List<string>> RunAsync(string address, string post)
    {
        var said = new List<string>();
        using var channel = GrpcChannel.ForAddress(address);
        var hearts = new HeartsApi.HeartsClient(channel);

        // Every call has a deadline. The same call again is safe, whatever became of the first.
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5);
        var given = await hearts.GiveAsync(new GiveRequest { TargetId = post, UserId = "u456" }, deadline: deadline);
        said.Add($"{given.Count} heart");

        // The state first, then each change.
        using var watch = hearts.Watch(new WatchRequest { TargetIds = { post } }, deadline: deadline);
        await watch.ResponseStream.MoveNext();
        foreach (var update in watch.ResponseStream.Current.Updates) said.Add($"post has {update.Count}");

        try
        {
            await hearts.GiveAsync(new GiveRequest { UserId = "u456" }, deadline: deadline);
        }
        catch (RpcException refused) when (refused.GetRpcStatus() is { } status)
        {
            var reason = status.GetDetail<Google.Rpc.ErrorInfo>().Reason;
            var wait = status.GetDetail<Google.Rpc.RetryInfo>()?.RetryDelay;
            said.Add(wait is null ? $"{reason}: {status.Message}" : $"{reason}: again in {wait.Seconds} s");
        }

        // End of the example.
        return said;
    }
}
