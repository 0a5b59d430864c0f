using System.Net;
using System.Text.Json.Nodes;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hosting;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.OpenApi;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>
/// Writes the operations of the endpoints that are mapped into the document. What follows from a route is added here, so that no description repeats it: what every call can be
/// refused with, what a body can, what credentials can, and the headers that go with it.
/// </summary>
internal sealed class ApiDocument(EndpointDataSource endpoints, HostSettings settings, IServer server)
{
    private static readonly Problem[] OfEveryCall = [Problem.InternalError];
    private static readonly Problem[] OfCallsThatWait = [Problem.QuotaExceeded, Problem.TemporaryReducedCapacity];
    private static readonly Problem[] OfBodies = [Problem.BadRequest, Problem.BodyTooLarge, Problem.UnsupportedMediaType];
    private static readonly Problem[] OfJson = [Problem.InvalidJson, Problem.InvalidFields, Problem.InvalidQuery];
    private static readonly Problem[] OfCredentials = [Problem.CredentialsRequired, Problem.InvalidToken, Problem.ScopeMissing, Problem.Unavailable, Problem.QuotaExceeded];

    /// <summary>The port that the document is served from.</summary>
    private static readonly OpenApiServer Here = new() { Url = "/" };

    /// <summary>Fills in the document, whose servers are as the framework made them: where the request says that it asks.</summary>
    public Task WriteAsync(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "HeartGrains",
            Version = "v1",
            Summary = "Hearts: who loves what, exactly once, and how many.",
            Description = """
                Every `GET` also answers `HEAD`. Every answer bears an `X-Request-Id`. Errors are problem documents (RFC 9457): branch on `code`.
                Identifiers are compared as given and travel in bodies and query strings, never in paths. Pages of configured sites may make the calls of hearts from a browser (CORS).
                What a status promises about a write: 2xx is committed and on disk; 4xx and 503 are definitely not committed; after 504 the same call again is safe, and tells.
                """,
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        document.Servers = [settings.Admin.Port is null ? Here : PublicServer(document.Servers?.FirstOrDefault())];
        document.Paths = [];
        ApiSecurity.AddSchemes(document);
        foreach (var endpoint in endpoints.Endpoints.OfType<RouteEndpoint>())
            foreach (var operation in endpoint.Metadata.GetOrderedMetadata<Operation>())
                Add(document, endpoint, operation);

        document.Tags = document.Paths.Values.SelectMany(static path => path.Operations!.Values).SelectMany(static operation => operation.Tags!)
            .Select(static tag => tag.Reference.Id!).Distinct().Select(static name => new OpenApiTag { Name = name }).ToHashSet();
        return Task.CompletedTask;
    }

    /// <summary>Where everybody's calls are. What listens on every address is called at the host by which the document was asked for.</summary>
    private OpenApiServer PublicServer(OpenApiServer? asked)
    {
        var url = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var listening = new Uri(url);
        var isEverywhere = IPAddress.TryParse(listening.DnsSafeHost, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        return new OpenApiServer { Url = isEverywhere && Uri.TryCreate(asked?.Url, UriKind.Absolute, out var here) ? $"{listening.Scheme}://{here.Host}:{listening.Port}" : url };
    }

    private void Add(OpenApiDocument document, RouteEndpoint endpoint, Operation operation)
    {
        var path = operation.Path ?? "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
        if (!document.Paths.TryGetValue(path, out var item)) document.Paths[path] = item = new OpenApiPathItem { Operations = [] };
        var method = operation.Method ?? new HttpMethod(endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0]);
        item.Operations!.Add(method, new OpenApiOperation
        {
            OperationId = operation.Id,
            Summary = operation.Summary,
            Description = operation.Description,
            Tags = new HashSet<OpenApiTagReference> { new(operation.Group, document) },
            Parameters = operation.Parameters.Count == 0 ? null : [.. operation.Parameters.Select(parameter => ParameterOf(document, parameter))],
            RequestBody = operation.Body is { } body ? BodyOf(document, body) : null,
            Responses = ResponsesOf(document, endpoint, operation),
            Security = ApiSecurity.Of(document, operation.Access),
            Servers = settings.Admin.Port is not null && endpoint.Metadata.GetMetadata<IPortsMetadata>()?.Ports == Ports.Operators ? [Here] : null,
        });
    }

    private static OpenApiParameter ParameterOf(OpenApiDocument document, Parameter parameter)
    {
        var schema = parameter.Shape.In(document);
        return new OpenApiParameter
        {
            Name = parameter.Name,
            In = parameter.In,
            Required = parameter.IsRequired,
            Description = schema.Description,
            Schema = schema,
            Example = parameter.Example is null ? null : schema.Type == JsonSchemaType.Integer ? JsonNode.Parse(parameter.Example) : parameter.Example,
        };
    }

    private static OpenApiRequestBody BodyOf(OpenApiDocument document, Payload body) => new()
    {
        Required = true,
        Description = $"At most {body.ByteLimit} bytes, not compressed.",
        Content = new Dictionary<string, OpenApiMediaType> { [body.MediaType] = MediaTypeOf(document, body) },
    };

    private static OpenApiMediaType MediaTypeOf(OpenApiDocument document, Payload payload)
    {
        return new OpenApiMediaType
        {
            Schema = payload.Shape.In(document),
            Examples = payload.Examples.ToDictionary(
                static example => example.Key, example => (IOpenApiExample)new OpenApiExample { Value = payload.HasFields ? JsonNode.Parse(example.Value) : example.Value }),
        };
    }

    private static OpenApiResponses ResponsesOf(OpenApiDocument document, RouteEndpoint endpoint, Operation operation)
    {
        var responses = new SortedDictionary<int, OpenApiResponse>();
        Header[] always =
        [
            Header.RequestId,
            .. operation.IsJudgedByQuotas ? Header.Quotas : [],
            .. endpoint.Metadata.GetMetadata<IEnableCorsAttribute>() is null ? [] : Header.OpenToSites,
        ];
        foreach (var answer in operation.Answers)
        {
            responses.Add(answer.Status, new OpenApiResponse
            {
                Description = answer.Description,
                Headers = HeadersOf([.. always, .. answer.Headers]),
                Content = answer.Body is { } body
                    ? (answer.Instead is { } instead ? new[] { body, instead } : [body]).ToDictionary(static payload => payload.MediaType, payload => MediaTypeOf(document, payload))
                    : null,
            });
        }

        foreach (var problems in ProblemsOf(endpoint, operation).Distinct().GroupBy(static problem => problem.Status))
        {
            if (!responses.TryGetValue(problems.Key, out var response)) responses[problems.Key] = response = new OpenApiResponse { Content = new Dictionary<string, OpenApiMediaType>() };
            var told = string.Join("\n", problems.Select(static problem => $"- `{problem.Code}`: {problem.Title}"));
            response.Description = response.Description is { } before ? $"{before}\n{told}" : told;
            response.Headers = HeadersOf([.. always, Header.CacheControl("no-store"), .. HeadersOf(problems.Key, endpoint, operation)]);
            response.Content ??= new Dictionary<string, OpenApiMediaType>();
            foreach (var (type, content) in ProblemExamples.Of(document, endpoint, operation, [.. problems])) response.Content[type] = content;
        }

        var all = new OpenApiResponses();
        foreach (var (status, response) in responses) all[$"{status}"] = response;
        return all;
    }

    private static IEnumerable<Problem> ProblemsOf(RouteEndpoint endpoint, Operation operation)
    {
        var waits = endpoint.RoutePattern.RawText!.TrimStart('/').StartsWith("api/", StringComparison.Ordinal) && endpoint.Metadata.GetMetadata<NeverRefused>() is null;
        return
        [
            .. operation.Parameters.Any(static parameter => parameter.In == ParameterLocation.Query) && operation.ProblemForm == ProblemForm.Document ? [Problem.InvalidQuery] : Array.Empty<Problem>(),
            .. operation.Body is { } && operation.ProblemForm == ProblemForm.Document ? OfBodies : [],
            .. operation.Body is { } ? [Problem.RequestTimeout] : Array.Empty<Problem>(),
            .. operation.Body is { MediaType: Payload.JsonType } && operation.ProblemForm == ProblemForm.Document ? OfJson : [],
            .. operation.JudgesCallers ? OfCredentials : [],
            .. operation.Access is Access.Users or Access.ReadersOfUsers ? [Problem.UserMismatch] : Array.Empty<Problem>(),
            .. operation.Access is Access.Users or Access.AnonymousReaders ? [Problem.OriginNotAllowed] : Array.Empty<Problem>(),
            .. operation.Problems,
            .. waits ? OfCallsThatWait : [],
            .. OfEveryCall,
        ];
    }

    private static Header[] HeadersOf(int status, RouteEndpoint endpoint, Operation operation) =>
    [
        .. status is 429 or 503 || (status is 504 && operation.ProblemForm == ProblemForm.Text) ? [Header.RetryAfter] : Array.Empty<Header>(),

        // Who is new is told who they are before it is known what becomes of the heart.
        .. status is 409 or 429 or 503 or 504 && operation.Answers.Any(static answer => answer.Headers.Contains(Header.NewReader)) ? [Header.NewReader, Header.NewReaderToken] : Array.Empty<Header>(),
        .. status is 401 or 403 && operation.JudgesCallers ? [Header.Challenge] : Array.Empty<Header>(),
        .. status is 429 && !operation.IsJudgedByQuotas ? Header.Quotas : [],
        .. status is 426 ? [new Header("Upgrade", "What to ask for.", "websocket", true), new Header("Sec-WebSocket-Version", "The version spoken.", "13", true)] : Array.Empty<Header>(),

        // What goes wrong outside the call's own code is told like all problems.
        .. operation.ProblemForm == ProblemForm.Text && status is not (408 or 500) ? Header.OpenToEverybody : [],
        .. endpoint.Metadata.GetMetadata<ProblemPage>() is null ? [] : Header.OfPages,
    ];

    private static Dictionary<string, IOpenApiHeader> HeadersOf(IEnumerable<Header> headers) => headers.DistinctBy(static header => header.Name).ToDictionary(
        static header => header.Name,
        static header => (IOpenApiHeader)new OpenApiHeader
        {
            Description = header.Description,
            Required = header.IsAlways,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Example = header.Example,
        });
}
