using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Google.Protobuf;
using Grpc.Core;

namespace HeartGrains.Tests.Grpc;

/// <summary>Calls written by hand, for what a client of gRPC would not send.</summary>
internal static class GrpcFrames
{
    /// <summary>A message with its length before it.</summary>
    public static byte[] Of(IMessage message) => Of(message.ToByteArray());

    /// <inheritdoc cref="Of(IMessage)"/>
    public static byte[] Of(byte[] message)
    {
        var frame = new byte[message.Length + 5];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    public static HttpRequestMessage Request(string url, string method, HttpContent body, string contentType = "application/grpc")
    {
        body.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(url), method.StartsWith('/') ? method : "/heartgrains.v1.Hearts/" + method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
    }

    /// <summary>Sends it, and reads the answer to its end.</summary>
    public static async Task<HttpResponseMessage> SendAsync(string url, string method, byte[] body, string? header = null, string? value = null, string contentType = "application/grpc")
    {
        using var client = new HttpClient();
        using var request = Request(url, method, new ByteArrayContent(body), contentType);
        if (header is not null) request.Headers.TryAddWithoutValidation(header, value);
        return await client.SendAsync(request);
    }

    public static StatusCode StatusOf(HttpResponseMessage answer) => (StatusCode)int.Parse(Header(answer, "grpc-status").ShouldNotBeNull(), CultureInfo.InvariantCulture);

    public static Google.Rpc.Status? DetailsOf(HttpResponseMessage answer) =>
        Header(answer, "grpc-status-details-bin") is { } details ? Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(details)) : null;

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.TrailingHeaders.TryGetValues(name, out var values) || answer.Headers.TryGetValues(name, out values) ? values.Single() : null;
}

/// <summary>The message of <c>Get</c>, whose end comes when the test says so.</summary>
internal sealed class SlowFrame : HttpContent
{
    private readonly byte[] _frame = GrpcFrames.Of(new V1.GetRequest { TargetId = "target" });
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first bytes are on their way.</summary>
    public Task Begun => _begun.Task;

    public void End() => _end.SetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(_frame.AsMemory(0, 3));
        await stream.FlushAsync();
        _begun.SetResult();
        await _end.Task;
        await stream.WriteAsync(_frame.AsMemory(3));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
