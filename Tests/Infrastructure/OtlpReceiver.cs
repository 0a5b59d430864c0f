using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>One span as it was sent.</summary>
/// <param name="Service">The resource's <c>service.name</c>.</param>
/// <param name="Trace">The trace's id, in hexadecimal.</param>
/// <param name="Id">The span's id.</param>
/// <param name="Parent">Its parent's, empty for a root.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Links">The ids of the spans it is linked to.</param>
/// <param name="Whole">All of it: what is text in it can be found in here.</param>
internal sealed record ReceivedSpan(string Service, string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Links, string Whole);

/// <summary>A collector that keeps what it gets, over gRPC and over HTTP, as <c>opentelemetry/proto/trace/v1/trace.proto</c> has it.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();

    private OtlpReceiver(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        _app = builder.Build();
        _app.MapPost("/v1/traces", context => ReceiveAsync(context, messageStart: 0));
        _app.MapPost("/opentelemetry.proto.collector.trace.v1.TraceService/Export", context => ReceiveAsync(context, messageStart: 5));
    }

    public IReadOnlyCollection<ReceivedSpan> Spans => _spans;

    public string Url => _app.Urls.First();

    public static async Task<OtlpReceiver> StartAsync(HttpProtocols protocols)
    {
        var receiver = new OtlpReceiver(protocols);
        await receiver._app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context, int messageStart)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var resourceSpans in Wire.Messages(body.ToArray().AsMemory(messageStart), 1)) Keep(resourceSpans);

        // An empty answer means that all was taken; over gRPC it stands in a frame, and the status behind it.
        if (messageStart == 0) return;
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[messageStart]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private void Keep(ReadOnlyMemory<byte> resourceSpans)
    {
        var service = Wire.Messages(resourceSpans, 1).SelectMany(static resource => Wire.Messages(resource, 1))
            .Where(static attribute => Text(attribute, 1) == "service.name").Select(static attribute => Text(Wire.Messages(attribute, 2).Single(), 1)).Single();
        foreach (var span in Wire.Messages(resourceSpans, 2).SelectMany(static scope => Wire.Messages(scope, 2)))
        {
            _spans.Enqueue(new ReceivedSpan(
                service, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), [.. Wire.Messages(span, 13).Select(static link => Hex(link, 2))], Encoding.UTF8.GetString(span.Span)));
        }
    }

    private static string Text(ReadOnlyMemory<byte> message, int field) => Encoding.UTF8.GetString(Wire.Messages(message, field).FirstOrDefault().Span);

    private static string Hex(ReadOnlyMemory<byte> message, int field) => Convert.ToHexStringLower(Wire.Messages(message, field).FirstOrDefault().Span);

    /// <summary>As much of protobuf's wire format as it takes to find what is in a message.</summary>
    private static class Wire
    {
        public static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field)
        {
            for (var position = 0; position < message.Length;)
            {
                var tag = Number(message.Span, ref position);
                switch (tag & 7)
                {
                    case 0: Number(message.Span, ref position); break;
                    case 1: position += 8; break;
                    case 5: position += 4; break;
                    case 2:
                        var length = (int)Number(message.Span, ref position);
                        if ((int)(tag >> 3) == field) yield return message.Slice(position, length);
                        position += length;
                        break;
                    default: throw new InvalidDataException($"Wire type {tag & 7}");
                }
            }
        }

        private static ulong Number(ReadOnlySpan<byte> bytes, ref int position)
        {
            var (value, shift) = (0UL, 0);
            while (true)
            {
                var next = bytes[position++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80) return value;
                shift += 7;
            }
        }
    }
}
