using Grpc.Core;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Grpc;

/// <summary>Statuses of HTTP and of gRPC. <c>docs/grpc.md</c> has the same table for every problem.</summary>
internal static class GrpcCodes
{
    private const int ClientClosedRequest = 499;

    /// <summary>The code that a problem is told with: by its status, so that a new problem has one too.</summary>
    public static StatusCode Of(Problem problem) => problem.Status switch
    {
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status405MethodNotAllowed or StatusCodes.Status415UnsupportedMediaType or StatusCodes.Status426UpgradeRequired => StatusCode.Unimplemented,

        // Nothing was done: the request was never whole.
        StatusCodes.Status408RequestTimeout => StatusCode.Unavailable,
        StatusCodes.Status409Conflict => StatusCode.FailedPrecondition,
        StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => StatusCode.ResourceExhausted,
        StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,

        // What a deadline that has passed means in gRPC too: perhaps done.
        StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        >= StatusCodes.Status500InternalServerError => StatusCode.Internal,
        _ => StatusCode.InvalidArgument,
    };

    /// <summary>The status of HTTP, for metrics and logs, of an answer without a problem.</summary>
    public static int HttpStatusOf(StatusCode code) => code switch
    {
        StatusCode.OK => StatusCodes.Status200OK,

        // A deadline is the caller's own, and no failure of ours.
        StatusCode.Cancelled or StatusCode.DeadlineExceeded => ClientClosedRequest,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
