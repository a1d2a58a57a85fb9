namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>What a section of an RFC says of a client that sends mail, and what shows that it is so here.</summary>
/// <param name="Section">RFC and section.</param>
/// <param name="Says">In a sentence, as the page has it.</param>
internal sealed record Statement(string Section, string Says, Func<Task> Holds)
{
    public Statement(string section, string says, Action holds)
        : this(section, says, () =>
        {
            holds();
            return Task.CompletedTask;
        })
    {
    }
}
