using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using HeartGrains.Gateway.Problems;
using GrpcStatus = Grpc.Core.Status;
using HttpResponse = Microsoft.AspNetCore.Http.HttpResponse;
using RichStatus = Google.Rpc.Status;

namespace HeartGrains.Gateway.Grpc;

/// <summary>In a request's features: the problem that its caller is told, as a <c>google.rpc.Status</c>.</summary>
internal sealed class GrpcTold
{
    /// <summary>The metadata that bears a <c>google.rpc.Status</c>.</summary>
    public const string DetailsHeader = "grpc-status-details-bin";

    /// <summary>The metadata that bears the code.</summary>
    public const string StatusHeader = "grpc-status";

    private const string MessageHeader = "grpc-message";
    private const string Domain = "heartgrains.dev";

    private readonly StatusCode _code;
    private readonly string _message;
    private readonly byte[] _details;

    public GrpcTold(
        Problem problem, string detail, IReadOnlyList<(string Field, string Message)> errors, IReadOnlyList<string> violatedPolicies, string? retryAfterSeconds, string? until)
    {
        _code = GrpcCodes.Of(problem);
        _message = errors.Count == 0 ? detail : string.Join("; ", errors.Select(static error => $"{error.Field} {error.Message}"));
        var status = new RichStatus { Code = (int)_code, Message = _message };
        var info = new ErrorInfo
        {
            Reason = ReasonOf(problem),
            Domain = Domain,
            Metadata = { ["type"] = problem.Type, ["http_status"] = problem.Status.ToString(CultureInfo.InvariantCulture) },
        };
        if (until is not null) info.Metadata["until"] = until;
        status.Details.Add(Any.Pack(info));
        if (long.TryParse(retryAfterSeconds, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = new Duration { Seconds = seconds } }));
        if (errors.Count > 0)
            status.Details.Add(Any.Pack(new BadRequest { FieldViolations = { errors.Select(static error => new BadRequest.Types.FieldViolation { Field = error.Field, Description = error.Message }) } }));
        if (violatedPolicies.Count > 0)
            status.Details.Add(Any.Pack(new QuotaFailure { Violations = { violatedPolicies.Select(policy => new QuotaFailure.Types.Violation { Subject = "policy:" + policy, Description = detail }) } }));
        _details = status.ToByteArray();
    }

    /// <summary>A problem's code as the reason of an <c>ErrorInfo</c>: <c>QUOTA_EXCEEDED</c>.</summary>
    public static string ReasonOf(Problem problem) => problem.Code.ToUpperInvariant().Replace('-', '_');

    /// <summary>For a method: ends its call with this.</summary>
    public RpcException ToException() => new(new GrpcStatus(_code, _message), new Metadata { { DetailsHeader, _details } });

    /// <summary>Ends a call that no method has begun to answer.</summary>
    public void Write(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.ContentLength = null;
        response.Headers[StatusHeader] = ((int)_code).ToString(CultureInfo.InvariantCulture);
        response.Headers[MessageHeader] = Encoded(_message);
        response.Headers[DetailsHeader] = Convert.ToBase64String(_details);
    }

    /// <summary>Percent-encoded as gRPC wants it: printable ASCII but % as it is, every other byte of UTF-8 as two digits.</summary>
    private static string Encoded(string message)
    {
        var text = new StringBuilder(message.Length);
        foreach (var unit in Encoding.UTF8.GetBytes(message))
        {
            if (unit is >= 0x20 and <= 0x7E and not (byte)'%') text.Append((char)unit);
            else text.Append('%').Append(unit.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
