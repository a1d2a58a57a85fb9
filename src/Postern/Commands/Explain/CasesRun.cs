using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Audit;
using Postern.Web.Documents;

namespace Postern.Commands.Explain;

/// <summary>
/// <c>postern explain --cases FILE</c>: an operator's own tests of the policy, asked of the configuration file by the code of the
/// server. No server is asked, so that what was counted changes no result: limits pass.
/// </summary>
internal static class CasesRun
{
    /// <param name="junit">Where the report for a build server goes; null for none.</param>
    public static async Task<int> RunAsync(
        CommandContext context, ParseResult arguments, string file, string? junit, CancellationToken ct)
    {
        var terminal = context.Terminal;
        var (cases, errors) = PolicyCase.Load(file);
        foreach (var error in errors)
            terminal.Note(error.ToString());
        if (!errors.IsEmpty || context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return terminal.Fail(problem.What, problem.Todo);
        if (await context.CompileAsync(configuration, CompileFor.Asking) is not { } compiled)
            return ExitCode.Usage;
        using var rehearsal = Rehearsal.Open(compiled, context.Clock);
        var results = ImmutableArray.CreateBuilder<CaseResult>(cases.Length);
        foreach (var one in cases)
        {
            var answer = await one.Question.AnswerAsync(rehearsal.Snapshot, ct);
            if (answer is { IsWrong: true, Problem: { } wrong })
                return terminal.Fail($"{one.Place}: {one.Name}: {wrong.What}", wrong.Todo, ExitCode.Usage);
            results.Add(CaseResult.Of(one, answer));
        }

        var document = new CasesDocument(
            results.All(static result => result.Ok), rehearsal.Snapshot.Id, configuration.Source, results.DrainToImmutable());
        if (junit is not null && JUnitReport.Write(junit, file, document) is { } unwritten)
            return terminal.Fail(unwritten, "Name a file in a directory that is there and may be written to.", ExitCode.Usage);
        if (arguments.GetValue(context.Json))
            terminal.Json(document, CommandJson.Readable.CasesDocument);
        else
            Print(terminal, document);
        return document.Ok ? ExitCode.Ok : ExitCode.No;
    }

    private static void Print(Terminal terminal, CasesDocument document)
    {
        var differing = document.Cases.Where(static result => !result.Ok).ToList();
        if (differing.Count > 0)
        {
            var table = new TablePage("place", "case", "expected", "decided", "why");
            foreach (var one in differing)
                table.Row(one.Place, one.Name, one.Expected, one.Decided, one.Why);
            table.WriteTo(terminal);
        }

        terminal.Line(PrintableText.Of(string.Create(
            CultureInfo.InvariantCulture,
            $"{document.Cases.Length - differing.Count} of {document.Cases.Length} cases as expected, by {document.Source} "
                + $"(configuration {document.Configuration})")));
    }
}

/// <summary>What became of one case.</summary>
/// <param name="Expected">With the rule, where one is named.</param>
/// <param name="Decided">With the rule that decided.</param>
/// <param name="Why">What the rule saw, and of a refusal the shortest change that permits it.</param>
internal sealed record CaseResult(string Name, string Place, bool Ok, string Expected, string Decided, string Why)
{
    public static CaseResult Of(PolicyCase one, WhatIfAnswer answer)
    {
        var outcome = Expectation.Of(answer);
        var rule = answer.Decisions is [var decision] ? decision.Rule : null;
        return new CaseResult(
            one.Name,
            one.Place,
            one.Expected.Fits(outcome) && (one.Rule is null || one.Rule == rule),
            With(one.Expected, one.Rule),
            With(outcome, rule),
            WhyOf(answer));
    }

    private static string With(Expectation what, string? rule) => rule is null ? what.ToString() : $"{what} by {rule}";

    private static string WhyOf(WhatIfAnswer answer)
    {
        if (answer.Decisions is not [var decision])
            return answer.Problem!.What;
        var saw = decision.Chain.LastOrDefault(step => step.Rule == decision.Rule)?.Saw ?? "no rule refused it";
        return answer.Change.IsEmpty ? saw : $"{saw}; what permits it: {string.Join("; and ", answer.Change)}";
    }
}

/// <summary>What <c>postern explain --cases FILE --json</c> prints.</summary>
/// <param name="Configuration">Its id.</param>
/// <param name="Source">Its file, for people.</param>
internal sealed record CasesDocument(bool Ok, string Configuration, string Source, ImmutableArray<CaseResult> Cases);
