using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Audit;

namespace Postern.Commands.Try;

/// <summary>Shows a run as it happens: dialogue indented under its scene, a table at the end.</summary>
internal sealed class TryScreen(Terminal terminal)
{
    private const string Reset = "\u001b[0m";
    private const string Bold = "\u001b[1m";
    private const string Dim = "\u001b[2m";
    private const string Red = "\u001b[31m";
    private const string Green = "\u001b[32m";
    private const string Cyan = "\u001b[36m";

    private readonly TablePage table = new("", "scene", "expected", "result");
    private int failures;

    public void Introduce(TryWorld world)
    {
        terminal.Line("A server on free ports of this machine, with temporary data and a made-up account. Nothing leaves the machine.");
        foreach (var (listener, endpoint) in world.Relay.Endpoints)
            terminal.Line(
                $"  {listener.Name,-12} {endpoint,-17} tls {ListenerText.Word(listener.Tls)}, auth {ListenerText.Word(listener.Auth)}");
        terminal.Line($"  {"sink",-12} {world.SinkEndpoint,-17} where mail is relayed to");
        terminal.Line($"  {"account",-12} {TryWorld.User,-17} with a generated password");
    }

    public void Begin(TryScene scene)
    {
        terminal.Line();
        terminal.Line(Paint(Bold, scene.Title));
    }

    public void Client(string line) => terminal.Line($"  {Paint(Cyan, "C:")} {PrintableText.Of(line)}");

    public void Server(string line) =>
        terminal.Line($"  {Paint(line.Length > 0 && line[0] is '4' or '5' ? Red : Green, "S:")} {PrintableText.Of(line)}");

    public void Note(string text) => terminal.Line($"  {Paint(Dim, "-- " + PrintableText.Of(text))}");

    public void End(TryScene scene, string? failure)
    {
        if (failure is not null)
        {
            failures++;
            terminal.Line($"  {Paint(Red, "unexpected:")} {PrintableText.Of(failure)}");
        }

        table.Row(failure is null ? "ok" : "WRONG", scene.Title, scene.Expected, failure ?? "as expected");
    }

    /// <summary>Draws the table; true when every scene came out right.</summary>
    public bool Conclude()
    {
        terminal.Line();
        table.WriteTo(terminal);
        terminal.Line();
        terminal.Line(failures == 0 ? Paint(Green, "Everything came out right.") : Paint(Red, $"{failures} came out wrong."));
        return failures == 0;
    }

    private string Paint(string colour, string text) => terminal.WantsColor ? $"{colour}{text}{Reset}" : text;
}
