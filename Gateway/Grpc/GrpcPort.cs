using System.Net;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// The port of gRPC and the pipeline behind it, which shares no route with HTTP's: what came by one port cannot reach what is for the other, whatever host it names.
/// </summary>
internal sealed class GrpcPort(bool hasReflection)
{
    private ListenOptions? _listening;

    /// <summary>Whether clients may ask for the services and their messages.</summary>
    public bool HasReflection => hasReflection;

    /// <summary>Where it listens; null until the server has started.</summary>
    public IPEndPoint? EndPoint => _listening?.IPEndPoint is { Port: > 0 } endPoint ? endPoint : null;

    /// <summary>Makes the server listen.</summary>
    public void Listen(KestrelServerOptions kestrel, IPAddress address, int port) => kestrel.Listen(address, port, listening =>
    {
        // Without TLS nothing could tell the two versions apart.
        listening.Protocols = HttpProtocols.Http2;
        listening.Mark(this);
        _listening = listening;
    });

    /// <summary>What a call goes through, the same steps as HTTP's requests.</summary>
    public static RequestDelegate Build(IServiceProvider services, Action<IEndpointRouteBuilder> map)
    {
        var app = new ApplicationBuilder(services);
        app.UseSteps(
            GrpcAnswers.StatusOf, answers: static app => app.UseMiddleware<GrpcAnswers>(), routing: static app => app.UseMiddleware<GrpcDeadline>().UseRouting(),
            message: static app => app.UseMiddleware<GrpcMessageWait>());
        app.UseMiddleware<GrpcStreamSeats>();
        app.Use(static next => context =>
        {
            GrpcDeadline.HandOver(context);
            return next(context);
        });
        app.UseEndpoints(map);
        app.Run(static context => context.WriteProblemAsync(Problem.MethodNotAllowed, "No service here has this method."));
        return app.Build();
    }

    /// <summary>Whether a request came by it.</summary>
    public static bool IsOf(HttpContext context) => context.Features.Get<GrpcPort>() is not null;
}
