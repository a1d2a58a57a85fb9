using System.Globalization;
using System.Text;
using System.Xml;
using Postern.Relay.Audit;

namespace Postern.Commands.Explain;

/// <summary>The results of tests as build servers read them: JUnit's XML, one suite for the file.</summary>
internal static class JUnitReport
{
    private const string Suite = "postern.policy";

    /// <summary>Replaces the file.</summary>
    /// <returns>Why it could not be written; null where it was.</returns>
    public static string? Write(string path, string cases, CasesDocument document)
    {
        try
        {
            File.WriteAllText(path, Xml(cases, document), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path}: {e.Message}";
        }
    }

    private static string Xml(string cases, CasesDocument document)
    {
        var text = new Utf8Text();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true }))
        {
            xml.WriteStartElement("testsuites");
            xml.WriteStartElement("testsuite");
            Attribute(xml, "name", cases);
            Attribute(xml, "tests", Number(document.Cases.Length));
            Attribute(xml, "failures", Number(document.Cases.Count(static one => !one.Ok)));
            Attribute(xml, "errors", Number(0));
            foreach (var one in document.Cases)
            {
                xml.WriteStartElement("testcase");
                Attribute(xml, "classname", Suite);
                Attribute(xml, "name", one.Name);
                Attribute(xml, "file", one.Place);
                if (!one.Ok)
                {
                    xml.WriteStartElement("failure");
                    Attribute(xml, "message", $"expected {one.Expected}, decided {one.Decided}");
                    xml.WriteString(PrintableText.Of(one.Why));
                    xml.WriteEndElement();
                }

                xml.WriteEndElement();
            }

            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        return text.ToString();
    }

    /// <summary>What XML cannot hold is written as people see it.</summary>
    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(name, PrintableText.Of(value));

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Has the declaration name the encoding of the file.</summary>
    private sealed class Utf8Text : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;
    }
}
