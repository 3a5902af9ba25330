import com.siemens.ct.exi.core.EXIFactory;
import com.siemens.ct.exi.core.grammars.Grammars;
import com.siemens.ct.exi.core.helpers.DefaultEXIFactory;
import com.siemens.ct.exi.grammars.GrammarFactory;
import com.siemens.ct.exi.main.api.sax.EXIResult;
import com.siemens.ct.exi.main.api.sax.EXISource;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.stream.StreamResult;
import org.xml.sax.InputSource;
import org.xml.sax.XMLReader;

/**
 * Turns XML into EXI and back, one request per line: {@code encode|decode document|fragment tables|plain SCHEMA HEX}.
 * Answers {@code ok HEX} or {@code error TEXT}. SCHEMA is a file, or @ and the name of a grammar class in the jar;
 * it is loaded when it is first asked for.
 */
public class Exificient {
    private static final HexFormat HEX = HexFormat.of();
    private final Map<String, Grammars> grammars = new HashMap<>();
    private final XMLReader reader;
    private final Transformer transformer;

    private Exificient() throws Exception {
        SAXParserFactory parsers = SAXParserFactory.newInstance();
        parsers.setNamespaceAware(true);
        reader = parsers.newSAXParser().getXMLReader();
        transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty("omit-xml-declaration", "yes");
    }

    private static Grammars load(String schema) throws Exception {
        if (schema.startsWith("@")) {
            Class<?> compiled = Class.forName("com.siemens.ct.exi.main.generatedgrammar." + schema.substring(1));
            return (Grammars) compiled.getDeclaredConstructor().newInstance();
        }
        return GrammarFactory.newInstance().createGrammars(schema);
    }

    private EXIFactory factory(String schema, boolean fragment, boolean tables) throws Exception {
        if (!grammars.containsKey(schema)) {
            grammars.put(schema, load(schema));
        }
        EXIFactory factory = DefaultEXIFactory.newInstance();
        factory.setGrammars(grammars.get(schema));
        factory.setFragment(fragment);
        if (!tables) {
            factory.setValuePartitionCapacity(0);
        }
        return factory;
    }

    private byte[] encode(EXIFactory factory, byte[] xml) throws Exception {
        EXIResult result = new EXIResult(factory);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        result.setOutputStream(out);
        reader.setContentHandler(result.getHandler());
        reader.parse(new InputSource(new ByteArrayInputStream(xml)));
        return out.toByteArray();
    }

    private byte[] decode(EXIFactory factory, byte[] exi) throws Exception {
        EXISource source = new EXISource(factory);
        source.setInputSource(new InputSource(new ByteArrayInputStream(exi)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        transformer.transform(source, new StreamResult(out));
        return out.toByteArray();
    }

    private String answer(String line) {
        String[] words = line.split(" ");
        byte[] input = HEX.parseHex(words[4]);
        try {
            EXIFactory factory = factory(words[3], words[1].equals("fragment"), words[2].equals("tables"));
            return "ok " + HEX.formatHex(words[0].equals("encode") ? encode(factory, input) : decode(factory, input));
        } catch (Exception | OutOfMemoryError error) {
            return "error " + String.valueOf(error).replaceAll("\\s+", " ");
        }
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        Exificient exificient = new Exificient();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "US-ASCII"));
        PrintStream out = new PrintStream(System.out, true, "US-ASCII");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(exificient.answer(line));
        }
    }
}
