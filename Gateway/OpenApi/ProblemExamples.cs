using System.Text.Json.Nodes;
using HeartGrains.Gateway.Problems;
using Microsoft.OpenApi;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>Refusals as the document shows them: each code with an example, written as the service writes it.</summary>
internal static class ProblemExamples
{
    private static readonly Shape Document = Shape.Object(
        "Problem", "Why a call was refused or failed (RFC 9457).",
        ("type", Shape.Text("Stable; a name, not a page to fetch.", pattern: "^https://heartgrains\\.dev/problems#")),
        ("title", Shape.Text("The same for every problem of this code.")),
        ("status", Shape.Whole("The status of the answer.", 400, 599)),
        ("detail", Shape.Text("This occurrence.")),
        ("code", Shape.Text("Stable; branch on it.", pattern: "^[a-z-]+$")),
        ("errors", Shape.Map("What is wrong with each field or parameter at fault.", Shape.List("Messages.", Shape.Text("A message."), least: 1)).Optional()),
        ("violated-policies", Shape.List("The quotas that refused.", Shape.Text("A policy's name.")).Optional()),
        ("until", Shape.Time("Until when it will be refused.").Optional()));

    private static readonly Shape Line = Shape.Text("What is wrong, in a line.");
    private static readonly Shape Page = Shape.Text("A page that says it to a reader, in the reader's language.");

    /// <summary>What problems of one status look like, by media type.</summary>
    public static IEnumerable<(string MediaType, OpenApiMediaType Content)> Of(OpenApiDocument document, RouteEndpoint endpoint, Operation operation, IReadOnlyList<Problem> problems)
    {
        if (endpoint.Metadata.GetMetadata<ProblemPage>() is not null) return [("text/html", new OpenApiMediaType { Schema = Page.In(document) })];
        var asText = operation.ProblemForm == ProblemForm.Text && operation.Problems.Any(problems.Contains);
        return asText
            ? [("text/plain", new OpenApiMediaType { Schema = Line.In(document) })]
            : [("application/problem+json", new OpenApiMediaType { Schema = Document.In(document), Examples = problems.ToDictionary(static problem => problem.Code, ExampleOf) })];
    }

    private static IOpenApiExample ExampleOf(Problem problem)
    {
        (string, string)[] errors = problem.Code switch
        {
            "invalid-json" => [("body", "must be valid JSON (RFC 8259), one object and nothing after it")],
            "invalid-fields" => [("user_id", "must not be empty")],
            "invalid-query" => [("unknown", "is not a parameter of this request")],
            "invalid-cursor" => [("cursor", "must be a next_cursor of this target")],
            _ => [],
        };
        string[] policies = problem == Problem.QuotaExceeded ? ["user"] : [];
        var detail = errors.Length > 0 ? "See errors for each field." : policies.Length > 0 ? "The quota user is spent; it has room for the same call in 1 s." : problem.Title;
        return new OpenApiExample { Summary = problem.Title, Value = JsonNode.Parse(ProblemWriter.Render(problem, detail, errors, policies).WrittenSpan) };
    }
}
